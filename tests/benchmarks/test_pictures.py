"""benchmarks.pictures: rates, ratios and memory are printed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from benchmarks import pictures
from benchmarks.pictures import Case, write_folder


def test_pictures_of_a_case_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "DISTINCT", 5)
    write_folder(Case("few", "png", 12, 30, 1), tmp_path)
    files = sorted(tmp_path.rglob("*.png"))
    assert len(files) == 12
    assert len({file.parent for file in files}) == pictures.CLASSES
    assert len({file.read_bytes() for file in files}) == 5
    assert np.asarray(Image.open(files[0])).shape == (30, 30)


@pytest.mark.exhaustive
def test_rates_ratios_and_memory_are_printed(monkeypatch, capsys):
    monkeypatch.setattr(pictures, "ROUNDS", 1)
    assert pictures.main(["--fraction", "0.004"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rate = r"[\d,]+ pictures/s \([\d,]+ to [\d,]+\); [\d.]+ \([\d.]+ to [\d.]+\) times Keras's image_dataset_from_dir"
    assert len(lines) == 4
    for line, case in zip(lines, pictures.CASES, strict=False):
        assert re.match(rf"{case.name}, \d+ pictures: {rate}", line), line
    assert re.fullmatch(r"JPEG 224×224, 80 pictures: peak memory [\d,]+ MB", lines[-1])
