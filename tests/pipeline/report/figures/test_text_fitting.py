"""text_fitting: every character is in the font and the text is not too wide; compared with fontTools."""

from __future__ import annotations

from functools import cache

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import findfont

from pipeline.report.figures.text_fitting import FONT, fit_text, width_inches


@cache
def font() -> tuple[dict[int, str], dict[str, tuple[int, int]], int]:
    """Names of the glyphs by character, advances of the glyphs, units of an em."""
    read = TTFont(findfont(FONT))
    return read.getBestCmap(), dict(read["hmtx"].metrics), read["head"].unitsPerEm


def ems(text: str) -> float:
    glyphs, advances, units = font()
    return sum(advances[glyphs[ord(character)]][0] for character in text) / units


@given(st.text(max_size=60), st.floats(2, 20))
def test_every_character_is_in_the_font_and_the_text_fits(text, most):
    shown = fit_text(text, most)
    assert all(ord(character) in font()[0] for character in shown)
    assert shown.isprintable()
    assert ems(shown) <= most + 1e-9
    assert width_inches(shown, 9) == pytest.approx(ems(shown) * 9 / 72)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8))
def test_short_text_in_the_font_is_unchanged(text):
    assert fit_text(text) == text


def test_characters_that_are_not_in_the_font_are_escaped():
    assert fit_text("猫\n") == "\\u732b\\n"
    assert fit_text("\ud800") == "\\ud800"


def test_long_name_keeps_start_and_end():
    shown = fit_text("corner of the house, seen from the left, 12")
    assert shown.startswith("corner")
    assert shown.endswith(" 12")
    assert shown.count("…") == 1
