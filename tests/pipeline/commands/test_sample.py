"""sample: the images of a split become a file, wholly or not at all."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from pipeline.__main__ import main
from tests.own_sets import patterns


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def images(place):
    """The test images of `arrays:set.npz`."""
    train, test = patterns(40, 4, (8, 8), 1, seed=1), patterns(20, 4, (8, 8), 1, seed=2)
    np.savez(place / "set.npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
    return test[0]


SAMPLE = ["sample", "--dataset", "arrays:set.npz", "--out", "drawn.npy"]


def test_files_that_a_killed_process_left_are_removed(place, images):
    left = [place / f".drawn{kind}.npy.{'0' * 16}.new" for kind in ("", ".labels")]
    for file in left:
        file.write_bytes(b"half")
    assert main(SAMPLE) == 0
    assert [file.name for file in left if file.exists()] == []
    np.testing.assert_array_equal(np.load("drawn.npy").reshape(images.shape), images)


@pytest.mark.parametrize(("number", "exit_code"), [(errno.EIO, 1), (errno.ENOSPC, 2)])
def test_disk_that_fails_leaves_nothing(place, images, capfd, monkeypatch, number, exit_code):
    def fails(source, target):
        raise OSError(number, os.strerror(number), str(source), None, str(target))

    assert main([*SAMPLE[:-1], "first.npy"]) == 0
    monkeypatch.setattr("serving.files.os.replace", fails)
    assert main(SAMPLE) == exit_code
    assert os.strerror(number) in capfd.readouterr().err.splitlines()[-1]
    assert [file.name for file in place.iterdir() if "drawn" in file.name] == []
