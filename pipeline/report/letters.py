"""Text from outside, as it can be drawn: every sign is in the font, and there is room for all of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

FONT = "DejaVu Sans"
POINTS_PER_INCH = 72


def legible(text: str, most: float = 12.0) -> str:
    r"""A text as it can be drawn: a sign that the font lacks is written as \u732b, of what is too long the middle goes.

    Args:
        text: any.
        most: how wide the result may be, in widths of the letter M's square, which are ems; some 1.7 letters each.
    """
    signs = [part for sign in text for part in _drawable(sign)]
    if _ems("".join(signs)) <= most:
        return "".join(signs)
    while signs and _ems("".join(signs)) + _ems("…") > most:
        del signs[len(signs) // 2]
    middle = (len(signs) + 1) // 2
    return "".join([*signs[:middle], "…", *signs[middle:]])


def width_inches(text: str, points: float) -> float:
    """How wide a legible text is, at a size in points."""
    return _ems(text) * points / POINTS_PER_INCH


def _drawable(sign: str) -> str:
    if sign.isprintable() and ord(sign) in _glyphs():
        return sign
    return sign.encode("unicode_escape").decode("ascii")


def _ems(text: str) -> float:
    return sum(_advance(sign) for sign in text)


@cache
def _advance(sign: str) -> float:
    from matplotlib.ft2font import LoadFlags

    advance: int = _font().load_char(ord(sign), flags=LoadFlags.NO_SCALE).horiAdvance
    return advance / _font().units_per_EM


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(_font().get_charmap())


@cache
def _font() -> FT2Font:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    # One of our own: matplotlib's carries the size that it drew with last.
    return FT2Font(findfont(FONT))
