"""benchmarks.tables: rates, ratios and memory are printed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import tables


def test_rows_of_pixels_are_written(tmp_path):
    tables.write_csv(tmp_path / "t.csv", 5)
    found = np.loadtxt(tmp_path / "t.csv", delimiter=",", skiprows=1)
    assert found.shape == (5, 785)
    assert found[:, 0].max() < 10


@pytest.mark.exhaustive
def test_rates_ratios_and_memory_are_printed(monkeypatch, capsys):
    monkeypatch.setattr(tables, "ROUNDS", 1)
    assert tables.main(["--rows", "100"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rate = r"100 rows: [\d,]+ rows/s \([\d,]+ to [\d,]+\); [\d.]+ \([\d.]+ to [\d.]+\) times"
    memory = r"peak memory [\d,]+ MB, with 10 times the rows [\d,]+ MB"
    patterns = [
        rf"CSV of pixels, {rate} pyarrow's own reading",
        f"CSV of pixels: {memory}",
        rf"Parquet of PNG, {rate} the same pictures in folders",
        f"Parquet of PNG: {memory}",
    ]
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line
