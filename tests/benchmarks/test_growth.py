"""benchmarks.growth: the data set has the given size, and seconds and memory are printed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import growth
from benchmarks.growth import plan
from tests.tiny_set import shapes


@pytest.fixture
def files(tmp_path):
    images, labels = shapes(50, seed=1)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    return tmp_path / "images.npy", tmp_path / "labels.npy"


def test_perturbed_rows_are_the_images_with_different_noise(files):
    planned = plan(*files, 120)
    parts = {
        split: [reader.read() for reader in planned.readers if reader.split == split] for split in ("train", "test")
    }
    images, labels = (np.concatenate([part[k] for split in parts for part in parts[split]]) for k in (0, 1))
    originals, numbers = (np.load(file) for file in files)
    assert images.shape == (120, 8, 8, 1)
    assert np.array_equal(labels, np.resize(numbers, 120))
    assert np.array_equal(images >> 3, np.resize(originals, (120, 8, 8, 1)) >> 3)
    assert len(np.unique(images.reshape(120, -1), axis=0)) == 120
    assert sum(len(part[1]) for part in parts["test"]) == 120 // 7


@pytest.mark.exhaustive
def test_growth_is_printed_in_seconds_and_memory(files, capsys):
    assert growth.main([*map(str, files), "--rows", "300", "900"]) == 0
    printed = capsys.readouterr().out
    for rows in ("300", "900"):
        assert re.search(
            rf"^{rows} images: ingest [\d.]+ s, ingest peak [\d,.]+ MB, analyze .* MB$", printed, re.MULTILINE
        )
    assert re.search(
        r"^from 300 to 900 images, ratio of seconds to linear growth: ingest [\d.]+, analyze [\d.]+, train ",
        printed,
        re.MULTILINE,
    )
    assert re.search(r"^peak memory of 900 images: [+-][\d,]+ MB against 300$", printed, re.MULTILINE)
