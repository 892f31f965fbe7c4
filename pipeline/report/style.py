"""One look for all pictures: colours, letters, sizes, and PNG files whose bytes depend on the picture alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.report.letters import FONT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008: told apart with every kind of colour blindness, and in print.
BLUE = "#0072b2"
ORANGE = "#e69f00"
VERMILLION = "#d55e00"
GREY = "#8c8c8c"

DOTS_PER_INCH = 120
STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    # Names come from outside: a dollar in one is a dollar, not the beginning of a formula.
    "text.parse_math": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """What is drawn and saved inside looks alike, whatever the user's own matplotlibrc says; it is put back after."""
    import matplotlib

    # The backend is the user's to keep: a Figure without pyplot saves PNG by Agg anyway.
    defaults: dict[Any, Any] = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
    with matplotlib.rc_context(defaults | STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, by its width and height in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def new_sheet(figure: Figure) -> Axes:
    """Axes that fill a whole figure, on which everything is put where it belongs; to be laid out."""
    figure.set_layout_engine("none")
    return figure.add_axes((0, 0, 1, 1))


def lay_out(axes: Axes, width: float, height: float) -> None:
    """Makes axes a blank sheet of this size, with the place of everything on it in inches, downwards from the top."""
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="N")
    axes.axis("off")


def save_png(figure: Figure, file: Path) -> None:
    """Writes a figure as PNG, the same bytes for the same figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.image import imsave

    # Figure.savefig draws everything twice.
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    imsave(file, canvas.buffer_rgba(), format="png", dpi=figure.dpi, metadata={"Software": "Beamline"})
