"""docs/architecture.md: its steps are those of the pipeline, its drawing what the code draws, and fit to be read."""

from __future__ import annotations

import re

import pytest

from pipeline.definition import pipeline
from pipeline.engine.step import Step
from pipeline.settings.options import parse_run
from tests.conftest import ROOT
from tools import drawing

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def steps() -> tuple[Step, ...]:
    return pipeline(parse_run([]).config)


def test_table_of_the_steps_is_the_pipeline():
    rows = re.findall(r"^\| `components/(\w+)/` \| ([^|]+) \| \**(\w+)\** \|", TEXT, flags=re.MULTILINE)
    inputs = {name: takes for name, takes, _ in rows}
    assert [(name, makes) for name, _, makes in rows] == [(s.name, s.component.output.__name__) for s in steps()]
    assert inputs.pop("ingest") == "a data set"
    for step in steps()[1:]:
        kinds = {source.component.output.__name__ for source in step.sources.values()}
        assert set(inputs[step.name].split(", ")) == kinds


def test_inner_steps_are_named():
    inner = {one.name for step in steps() for one in step.inner}
    assert inner == {"predict", "convert", "agree"}
    assert all(f"`{name}`" in TEXT for name in inner)


def test_drawing_names_files_and_steps_that_exist():
    assert list(drawing.STEPS) == [step.name for step in steps()]
    assert set(drawing.GATES) <= set(drawing.STEPS)
    for package, files in (("pipeline", drawing.ABOVE), ("serving", drawing.BELOW)):
        assert all((ROOT / package / file).exists() for file in files)


@pytest.mark.parametrize("name", list(drawing.PALETTES))
def test_drawing_is_what_the_code_draws_now(name, tmp_path):
    drawing.draw(tmp_path / name, drawing.PALETTES[name])
    assert (tmp_path / name).read_bytes() == (ROOT / "docs" / name).read_bytes(), "run: python -m tools.drawing"


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", drawing.PALETTES.values(), ids=list(drawing.PALETTES))
@pytest.mark.parametrize("ink", ["ink", "muted", "arrow", "gate"])
def test_text_has_enough_contrast(palette, ink):
    for behind in (palette.paper, palette.band, palette.box):
        dark, light = sorted((luminance(getattr(palette, ink)), luminance(behind)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
