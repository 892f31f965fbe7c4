"""benchmarks.scoring: the measurements run on files of the given size, and a failed process is reported."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import scoring
from benchmarks.scoring import Bench, main
from tests.serving import tiny_bundle

RATIO = r"[\d.]+ \([\d.]+ to [\d.]+\)"


@pytest.fixture
def bench(tmp_path):
    bundle = tiny_bundle.seal(tmp_path / "bundle", int8=True)
    return Bench(bundle.path, tiny_bundle.random_images(30), tmp_path, rounds=1)


@pytest.mark.parametrize("rows", [0, 7, 30, 100])
def test_files_hold_the_repeated_images(bench, rows):
    expected = np.resize(bench.images, (rows, *bench.images.shape[1:]))
    np.testing.assert_array_equal(np.load(bench.file(rows)), expected)


def test_bare_script_and_batch_scorer_write_the_same(bench):
    file = bench.file(100)
    assert bench.bare(file, 16) > 0
    assert bench.ours(file) > 0
    np.testing.assert_array_equal(np.load(bench.folder / "bare.npy"), np.load(bench.folder / "ours.npy"))
    assert bench.peak_bytes(file) > 20e6


@pytest.mark.exhaustive
def test_command_prints_the_ratios(bench, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH_SIZES", (16, 32))
    monkeypatch.setattr(scoring, "MEMORY_ROWS", (100, 200))
    np.save(bench.folder / "images.npy", bench.images)
    parts = [flag for part in ("many", "few", "memory") for flag in ("--only", part)]
    assert main([str(bench.bundle), str(bench.folder / "images.npy"), "--rows", "200", "--rounds", "1", *parts]) == 0
    printed = capsys.readouterr().out
    assert re.search(rf"200 images, rate against .*\n  float32: {RATIO}, .*\n  int8: {RATIO}", printed)
    assert re.search(rf"\.csv against \.npy: {RATIO}; int8: {RATIO}\n", printed)
    assert re.search(rf"10,000 images, time against the bare script's: {RATIO}\n", printed)
    assert re.search(r"resident memory: \d+ MB for 100 images, \d+ MB for 200\n", printed)


def test_failed_process_is_reported_with_its_message(bench, capsys):
    np.save(bench.folder / "images.npy", bench.images)
    (bench.bundle / "model.onnx").write_bytes(b"another")
    assert main([str(bench.bundle), str(bench.folder / "images.npy")]) == 4
    assert "model.onnx" in capsys.readouterr().err
