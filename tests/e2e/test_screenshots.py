"""The documents' pictures of pages: the named part of a page, in its size and scheme, and small enough for a forge."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.e2e.browser import require_browser
from tools.screenshots import Shot, take

PAGE = """<!doctype html><meta name="color-scheme" content="light dark">
<style>* { margin: 0 } section { height: 20px }</style>
<main>
<section id="above" style="background: red"></section>
<section id="below" style="background: blue"></section>
</main>
"""
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def taken(tmp_path):
    require_browser()
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")

    def take_and_read(scheme, *sections):
        take(Shot("shot.png", "page.html", 300, 60, 2, scheme, sections), tmp_path, tmp_path)
        return Image.open(tmp_path / "shot.png").convert("RGB")

    return take_and_read


def test_all_of_the_upper_part_is_there(taken):
    picture = taken("light")
    assert picture.size == (600, 120)
    assert [picture.getpixel((300, y)) for y in (20, 60, 100)] == [RED, BLUE, WHITE]


def test_only_the_named_section_is_there_on_a_dark_screen(taken):
    picture = taken("dark", "below")
    assert picture.getpixel((300, 20)) == BLUE
    assert max(picture.getpixel((300, 60))) < 60


@pytest.mark.parametrize("name", ["card.png", "card-phone.png", "runs.png"])
def test_pictures_of_the_documents_are_small(name):
    assert (ROOT / "docs" / name).stat().st_size < 400_000
