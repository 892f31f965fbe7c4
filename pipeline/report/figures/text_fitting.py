"""Text from outside -> text that can be drawn: every character is in the font, and the text is not too wide."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

FONT = "DejaVu Sans"
POINTS_PER_INCH = 72


def fit_text(text: str, max_ems: float = 12.0) -> str:
    r"""Makes a text drawable: a character that is not in the font becomes `\u732b`, the middle of a long text `…`.

    `max_ems` is the greatest width of the result, in ems; an em is about 1.7 letters.
    """
    characters = [part for character in text for part in _drawable(character)]
    if _ems("".join(characters)) <= max_ems:
        return "".join(characters)
    while characters and _ems("".join(characters)) + _ems("…") > max_ems:
        del characters[len(characters) // 2]
    middle = (len(characters) + 1) // 2
    return "".join([*characters[:middle], "…", *characters[middle:]])


def width_inches(text: str, points: float) -> float:
    """The width of a text that `fit_text` returned, at a font size in points."""
    return _ems(text) * points / POINTS_PER_INCH


def _drawable(character: str) -> str:
    if character.isprintable() and ord(character) in _glyphs():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _ems(text: str) -> float:
    return sum(_advance(character) for character in text)


@cache
def _advance(character: str) -> float:
    from matplotlib.ft2font import LoadFlags

    advance: int = _font().load_char(ord(character), flags=LoadFlags.NO_SCALE).horiAdvance
    return advance / _font().units_per_EM


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(_font().get_charmap())


@cache
def _font() -> FT2Font:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    # A copy of our own: matplotlib's keeps the size of the text that it drew last.
    return FT2Font(findfont(FONT))
