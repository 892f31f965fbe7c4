"""open_file: a file that is replaced stays readable; a file that is modified or truncated is refused."""

from __future__ import annotations

import gc
import gzip
import os

import numpy as np
import pytest

from serving.errors import InputError
from tests.serving.batch.inputs.array_files import IMAGES, opened, refusal
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import npy, random_images


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("left_rows", [0, 3, 4, 9.5])
def test_file_truncated_after_it_was_opened_is_refused(tmp_path, left_rows, order):
    path = tmp_path / "images.npy"
    images = opened(path, npy(np.asarray(random_images(10), order=order)))
    os.truncate(path, path.stat().st_size - 240 + int(left_rows * 24))
    with pytest.raises(InputError, match="became shorter while it was read"):
        [images.read(start, start + 5, (4, 3, 2)) for start in (0, 5)]


def test_replaced_file_is_read_with_its_old_content(tmp_path):
    path = tmp_path / "images.npy"
    images = opened(path, npy(random_images(10)))
    images.read(0, 5, (4, 3, 2))
    (tmp_path / "other").write_bytes(npy(random_images(3, seed=8)))
    os.replace(tmp_path / "other", path)
    np.testing.assert_array_equal(images.read(5, 10, (4, 3, 2)).images, random_images(10)[5:])
    images.require_unchanged()


@pytest.mark.parametrize("packed", [False, True])
def test_modified_file_is_refused_at_the_end(tmp_path, packed):
    path = tmp_path / "images"
    content = idx(random_images(10))
    images = opened(path, gzip.compress(content, mtime=0) if packed else content)
    images.require_unchanged()
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    with pytest.raises(InputError, match="images was changed while it was read"):
        images.require_unchanged()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    images.require_unchanged()
    with path.open("ab") as file:
        file.write(b"more")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(InputError, match="images was changed while it was read"):
        images.require_unchanged()


def test_descriptors_are_closed_with_the_source(tmp_path):
    def descriptors():
        # pytest keeps the caught exception in a reference cycle.
        gc.collect()
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    images = opened(tmp_path / "images.gz", gzip.compress(idx(IMAGES), mtime=0))
    assert descriptors() > before
    del images
    assert descriptors() == before
    refusal(tmp_path / "images.npy", b"none")
    refusal(tmp_path)
    assert descriptors() == before
