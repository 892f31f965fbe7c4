"""One look for all figures: colours, font, sizes, and the two formats, whose bytes depend on the figure alone."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.report.figures.text_fitting import FONT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008: colours that differ for readers with any colour blindness, and in print.
BLUE = "#0072b2"
ORANGE = "#e69f00"
VERMILLION = "#d55e00"
GREY = "#8c8c8c"
# Text, axes and grid. Not black: matplotlib leaves black out of an SVG.
INK, EDGE, GRID = "#010203", "#040506", "#e4e4e4"
PAPER = "white"

# A page has its own colours, for light and for dark screens: the variables of style.css.
PAGE_COLOURS = {
    INK: "currentColor",
    EDGE: "var(--line)",
    GRID: "var(--line)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    VERMILLION: "var(--vermillion)",
    GREY: "var(--muted)",
}

DOTS_PER_INCH = 120
# CSS defines an inch so.
PIXELS_PER_INCH = 96
# Of a figure that a phone shows whole, in inches.
COLUMN_WIDTH = 4.6
STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 9,
    "text.color": INK,
    # Names come from outside: a dollar in one is a dollar, not the beginning of a formula.
    "text.parse_math": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": EDGE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.labelcolor": INK,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Figures that are made and saved inside look alike, with any matplotlibrc; the user's settings are restored."""
    # Without a home folder, matplotlib warns that it keeps its fonts in a temporary one, which is no reason to act.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib

    # The backend is the user's to keep: a Figure without pyplot is saved as PNG by Agg anyway.
    defaults: dict[Any, Any] = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
    with matplotlib.rc_context(defaults | STYLE):
        yield


def new_figure(width: float, height: float, description: str = "") -> Figure:
    """An empty figure, in inches; an SVG has the description, for readers who cannot see the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    figure.set_label(description)
    return figure


def single_axes(figure: Figure) -> Axes:
    """The only axes of a figure."""
    from matplotlib.axes import Axes

    axes = figure.subplots()
    assert isinstance(axes, Axes)
    return axes


def new_sheet(figure: Figure) -> Axes:
    """Axes that fill a whole figure, for a layout in inches; see `lay_out`."""
    figure.set_layout_engine("none")
    return figure.add_axes((0, 0, 1, 1))


def lay_out(axes: Axes, width: float, height: float) -> None:
    """Makes axes a blank sheet of this size: places on it are in inches, downwards from the top."""
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="N")
    axes.axis("off")


def to_png(figure: Figure) -> bytes:
    """A figure as PNG, on white: the same bytes for the same figure. Call it inside `drawing`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.image import imsave

    figure.set_facecolor(PAPER)
    # Figure.savefig draws everything twice.
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    out = io.BytesIO()
    imsave(out, canvas.buffer_rgba(), format="png", dpi=figure.dpi, metadata={"Software": "Beamline"})
    return out.getvalue()


def to_svg(figure: Figure, name: str) -> str:
    """A figure as SVG for a page, in the page's colours: the same text for the same figure. Call it inside `drawing`.

    The name is unique on the page: so are the ids inside the figure. A template must not escape the element `svg`.
    """
    from markupsafe import escape
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    # Text stays text: it can be searched, and read aloud.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        # Figure.savefig draws everything twice.
        FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    text = text[text.index("<svg ") :]
    for colour, page_colour in PAGE_COLOURS.items():
        text = text.replace(colour, page_colour)
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None, "matplotlib writes the size of every figure"
    width = round(figure.get_figwidth() * PIXELS_PER_INCH)
    label = escape(str(figure.get_label()))
    start = f'<svg class="plot" role="img" aria-label="{label}" style="max-width:{width}px" {box.group()}>'
    return start + _without_unused_ids(text[text.index(">") + 1 :])


def _without_unused_ids(text: str) -> str:
    """Removes ids that nothing refers to: every figure of matplotlib has a `figure_1`."""
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    return re.sub(r' id="([^"]+)"', lambda found: found.group(0) if found.group(1) in used else "", text)
