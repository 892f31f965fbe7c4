"""card_sections: each section is drawn once for the same artifacts, and one that fails leaves the others."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from pipeline.report.drawings.drawing_cache import DrawingCache
from tests.conftest import ROOT
from tests.pipeline.report.conftest import record_of
from tests.pipeline.report.html_page import Page, card, page_of, require_harmless


def test_same_artifacts_give_the_same_bytes_and_others_do_not(runs):
    made = runs.made()
    first, again = card(runs, made).read_bytes(), card(runs, made).read_bytes()
    assert first == again
    assert card(runs, {**made, "evaluate": runs.made(("evaluate",), skill=0.1)["evaluate"]}).read_bytes() != first


def test_sections_in_the_cache_need_no_drawing_library(runs):
    made = runs.made()
    first = card(runs, made).read_text()
    record = record_of("0001", made, runs.store.root)
    code = f"""
import sys
sys.modules["matplotlib"] = sys.modules["tensorflow"] = sys.modules["apache_beam"] = None
from pathlib import Path
from pipeline.records.run_history import Record
from pipeline.engine.outcome import Outcome
from tests.pipeline.report.html_page import write_default_card
from pipeline.engine.store import Store
write_default_card({record!r}, Store(Path({str(runs.store.root)!r})))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (runs.store.root / "reports" / "0001.html").read_text() == first


def test_card_of_an_interrupted_run_draws_nothing(runs, monkeypatch):
    def fail(*arguments):
        raise AssertionError("drawn")

    monkeypatch.setattr(DrawingCache, "get", fail)
    page = page_of(runs, runs.made(), "interrupted", draw=False)
    assert "interrupted" in page.text
    assert "Not shown" not in page.text


def test_card_of_an_interrupted_run_shows_what_is_in_the_cache(runs):
    made = runs.made()
    assert card(runs, made).read_bytes() == card(runs, made, draw=False).read_bytes()


def test_section_that_cannot_be_drawn_is_reported_and_the_others_are_shown(runs, caplog):
    made = runs.made()
    (block,) = runs.store.root.glob("artifacts/ingest-*/payload/test-00001.images.npy")
    block.write_bytes(block.read_bytes()[:-1] + b"?")
    with caplog.at_level(logging.CRITICAL):
        page = page_of(runs, made)
    assert "Not shown" in page.text
    assert (
        "sample-images could not be drawn: run 0001: the output of ingest was changed after it was stored" in page.text
    )
    assert any(label.startswith("calibration curve") for label in page.values("aria-label"))


@pytest.mark.parametrize("damage", [b"5", b"[]", None])
def test_damaged_cache_is_drawn_again(runs, damage):
    made = runs.made()
    first = card(runs, made).read_bytes()
    for file in (runs.store.root / "reports" / ".parts").iterdir():
        file.write_bytes(file.read_bytes()[:40] if damage is None else damage)
    assert card(runs, made).read_bytes() == first


def test_no_axis_has_a_formula(runs):
    page = card(runs, runs.made(rows=30)).read_text()
    assert "mathdefault" not in page


@pytest.mark.parametrize(
    ("names", "shape"),
    [(tuple(f"class {n}" for n in range(200)), (40, 60, 3)), (("a", "b"), (300, 300, 3)), (("one",), (1, 1, 1))],
    ids=["many", "large", "one"],
)
def test_card_is_small_for_any_images(runs, names, shape):
    # Noise compresses least.
    file = card(runs, runs.made(names=names, shape=shape, rows=120))
    assert file.stat().st_size < 3_000_000
    require_harmless(Page(file.read_text()))
