"""Values + template -> one self-contained page: nothing is fetched, nothing runs, all text from outside is escaped."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.report.style import BLUE, GREY, ORANGE, VERMILLION, drawing

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup
    from matplotlib.figure import Figure

# Of a page; CSS has it so.
PIXELS_PER_INCH = 96
# Of a file's name under its image: two or three lines.
MOST_SIGNS = 48
TEMPLATES = Path(__file__).parent / "templates"

# What matplotlib draws in these colours takes the page's own, which differ by day and by night.
INK, LINE = "#010203", "#040506"
THEME = {
    INK: "currentColor",
    LINE: "var(--line)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    VERMILLION: "var(--vermillion)",
    GREY: "var(--muted)",
}
SVG_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": LINE,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": LINE,
    "legend.labelcolor": INK,
}


def render(template: str, **values: Any) -> str:
    """A page as text.

    Args:
        template: a file in `templates/`.
        values: by the name that the template has for them; text is escaped where it is put in, all but what the
            template itself calls `drawn`, which `svg` returned.

    Raises:
        jinja2.UndefinedError: the template takes a value that was not given.
    """
    return _environment().get_template(template).render(**values)


def svg(figure: Figure, name: str, says: str) -> str:
    """A figure as SVG for a page: its text is text, its colours are the page's, the same bytes for the same figure.

    The figure has to be made, too, inside of `themed`.

    Args:
        figure: any.
        name: another one for each figure of a page, so that their parts are not taken for one another.
        says: what it shows, for those who cannot see it.

    Returns:
        What a template puts in as it is, by its filter `drawn`.
    """
    from markupsafe import escape
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    text = text[text.index("<svg ") :]
    for colour, themed_colour in THEME.items():
        text = text.replace(colour, themed_colour)
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None, "matplotlib writes the size of every figure"
    width = round(figure.get_figwidth() * PIXELS_PER_INCH)
    begun = f'<svg class="plot" role="img" aria-label="{escape(says)}" style="max-width:{width}px" {box.group()}>'
    return begun + _without_unused_ids(text[text.index(">") + 1 :])


@contextmanager
def themed() -> Iterator[None]:
    """What is drawn and turned into SVG inside takes the page's colours."""
    from matplotlib import rc_context

    with drawing(), rc_context(SVG_STYLE):
        yield


def data_uri(png: bytes) -> str:
    """A PNG as an address that holds it whole."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _without_unused_ids(text: str) -> str:
    """Every figure of matplotlib's has a `figure_1`: what nothing refers to needs no name."""
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    return re.sub(r' id="([^"]+)"', lambda found: found.group(0) if found.group(1) in used else "", text)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"shown": shown, "text": readable, "shortened": shortened, "drawn": _drawn}
    return environment


def shown(text: str) -> str:
    r"""A name as it can be shown: what is no printed sign, as an end of line or of left-to-right, is written as \n."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def readable(text: str) -> str:
    """A text as it can be shown, its ends of line kept."""
    return "\n".join(shown(line) for line in text.splitlines())


def shortened(text: str, most: int = MOST_SIGNS) -> str:
    """Of a name that has more signs than `most` the middle goes: where a file is stands before, which it is behind."""
    if len(text) <= most:
        return text
    begun = (most - 1) // 3
    return f"{text[:begun]}…{text[begun + 1 - most :]}"


def _drawn(text: str) -> Markup:
    """What `svg` returned, which is put in as it is."""
    from markupsafe import Markup

    return Markup(text)
