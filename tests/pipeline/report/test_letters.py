"""letters: whatever a name holds, the font has it and it is no wider than there is room; against fontTools."""

from __future__ import annotations

from functools import cache

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import findfont

from pipeline.report.letters import FONT, legible, width_inches


@cache
def font() -> tuple[dict[int, str], dict[str, tuple[int, int]], int]:
    """Names of the glyphs by sign, advances of the glyphs, units of an em."""
    read = TTFont(findfont(FONT))
    return read.getBestCmap(), dict(read["hmtx"].metrics), read["head"].unitsPerEm


def ems(text: str) -> float:
    glyphs, advances, units = font()
    return sum(advances[glyphs[ord(sign)]][0] for sign in text) / units


@given(st.text(max_size=60), st.floats(2, 20))
def test_every_sign_is_in_the_font_and_all_of_them_fit(text, most):
    shown = legible(text, most)
    assert all(ord(sign) in font()[0] for sign in shown)
    assert shown.isprintable()
    assert ems(shown) <= most + 1e-9
    assert width_inches(shown, 9) == pytest.approx(ems(shown) * 9 / 72)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8))
def test_what_can_be_drawn_and_fits_stays_as_it_is(text):
    assert legible(text) == text


def test_what_the_font_lacks_is_spelled_out():
    assert legible("猫\n") == "\\u732b\\n"
    assert legible("\ud800") == "\\ud800"


def test_of_a_long_name_beginning_and_end_stay():
    shown = legible("corner of the house, seen from the left, 12")
    assert shown.startswith("corner")
    assert shown.endswith(" 12")
    assert shown.count("…") == 1
