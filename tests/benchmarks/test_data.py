"""benchmarks.data and benchmarks.growth: they measure what they say, on sets of the size that they say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import data, growth
from benchmarks.growth import opened
from tests.tiny_set import shapes

RATE = r"[\d,]+ images/s \([\d,]+ to [\d,]+\)"
RATIO = r"[\d.]+ \([\d.]+ to [\d.]+\) times"


@pytest.fixture
def files(tmp_path):
    images, labels = shapes(50, seed=1)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    return tmp_path / "images.npy", tmp_path / "labels.npy"


def test_rates_and_ratios_are_printed(made, monkeypatch, capsys):
    monkeypatch.setattr(data, "ROUNDS", 1)
    monkeypatch.setattr(data, "EPOCHS", 2)
    # TFDS prints where it prepares the set.
    place = str(made.data_dir)
    capsys.readouterr()
    assert data.main(["--dataset", "tiny", "--data-dir", place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["decode", "analyze", "batches of 1000", "batches of 40"]
    for line in lines:
        assert re.fullmatch(rf".*: {RATE}(; the whole Beam job [\d,]+)?; {RATIO} .+", line), line


def test_perturbed_rows_are_the_images_again_with_noise_that_makes_each_another(files):
    found = opened(*files, 120)
    parts = {split: [piece.read() for piece in found.slices if piece.split == split] for split in ("train", "test")}
    images, labels = (np.concatenate([part[k] for split in parts for part in parts[split]]) for k in (0, 1))
    originals, numbers = (np.load(file) for file in files)
    assert images.shape == (120, 8, 8, 1)
    assert np.array_equal(labels, np.resize(numbers, 120))
    assert np.array_equal(images >> 3, np.resize(originals, (120, 8, 8, 1)) >> 3)
    assert len(np.unique(images.reshape(120, -1), axis=0)) == 120
    assert sum(len(part[1]) for part in parts["test"]) == 120 // 7


def test_growth_is_told_in_seconds_and_memory(files, capsys):
    assert growth.main([*map(str, files), "--rows", "300", "900"]) == 0
    said = capsys.readouterr().out
    for rows in ("300", "900"):
        assert re.search(
            rf"^{rows} images: ingest [\d.]+ s, ingest peak [\d,.]+ MB, analyze .* MB$", said, re.MULTILINE
        )
    assert re.search(
        r"^from 300 to 900, seconds against proportional: ingest [\d.]+, analyze [\d.]+, train ", said, re.M
    )
    assert re.search(r"^peak memory of 900 images: [+-][\d,]+ MB against 300$", said, re.MULTILINE)
