"""benchmarks.data: rates and ratios are printed."""

from __future__ import annotations

import re

import pytest

from benchmarks import data

RATE = r"[\d,]+ images/s \([\d,]+ to [\d,]+\)"


RATIO = r"[\d.]+ \([\d.]+ to [\d.]+\) times"


@pytest.mark.exhaustive
def test_rates_and_ratios_are_printed(made, monkeypatch, capsys):
    monkeypatch.setattr(data, "ROUNDS", 1)
    monkeypatch.setattr(data, "EPOCHS", 2)
    # TFDS prints the folder of the prepared data set.
    place = str(made.data_dir)
    capsys.readouterr()
    assert data.main(["--dataset", "tiny", "--data-dir", place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["decode", "analyze", "batches of 1000", "batches of 40"]
    for line in lines:
        assert re.fullmatch(rf".*: {RATE}(; the whole step [\d,]+)?; {RATIO} .+", line), line
