"""Draws the architecture, for light and for dark pages: `python -m tools.drawing` writes docs/architecture*.svg."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from pipeline.definition import pipeline
from pipeline.report.figures.style import BLUE, ORANGE, drawing, lay_out, new_figure, new_sheet
from pipeline.settings.options import parse_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = Path(__file__).parents[1] / "docs"
WIDTH, HEIGHT = 11.0, 6.2
# The boxes of a band, from the left: a file or folder of the package, and its purpose.
ABOVE = {
    "definition.py": "which step takes\nwhat from which",
    "engine/": "plans, executes,\ncommits, finds",
    "records/": "what each run\ndid and found",
    "settings/": "flags, presets,\nconfiguration",
    "commands/": "one file for\neach command",
    "report/": "a card for each\nrun, and the list",
}
BELOW = {
    "batch_score.py": "files of images\nto predictions",
    "bundle/": "nothing missing,\nextra or changed",
    "scoring/": "images to\nprobabilities",
    "registry/": "versions, and\nthe served one",
    "batch/": "files in, blocks,\nfiles out",
    "drift/": "are images still\nas in training?",
}
STEPS = {
    "ingest": "decodes each\nimage once",
    "analyze": "counts, means,\nduplicates",
    "validate": "are the data\nfit to train on?",
    "transform": "pixels to\ninput, as data",
    "train": "weights, with\na seed",
    "evaluate": "good enough\nby itself?",
    "export": "SavedModel,\nONNX, int8",
    "verify": "equal to the\ntrained model?",
    "promote": "no worse than\nthe champion?",
}
GATES = ("validate", "evaluate", "verify", "promote")
RUNS = "artifacts/<step>-<key>/\nhistory/<run>.json\nreports/<run>.html\nlogs/<run>.log"
MODELS = "<model>/<version>/\n<model>/promoted.json\n<model>/history.jsonl"


@dataclass(frozen=True)
class Palette:
    """The colours of a page.

    Attributes:
        paper: background.
        band: background of a package.
        box: background of a box.
        line: borders.
        ink: text.
        muted: text of less importance.
        arrow: arrows of imports and of data.
        gate: a step that can refuse.
    """

    paper: str
    band: str
    box: str
    line: str
    ink: str
    muted: str
    arrow: str
    gate: str


PALETTES = {
    "architecture.svg": Palette("#ffffff", "#f3f5f8", "#ffffff", "#c9d0d8", "#16181d", "#545d68", BLUE, "#a04f00"),
    "architecture-dark.svg": Palette(
        "#0d1117", "#171c24", "#21272f", "#414a55", "#e8eaed", "#a3adb8", "#6cb6ff", ORANGE
    ),
}


class Sheet:
    """Boxes, text and arrows on one page; positions are in inches from the upper left corner."""

    def __init__(self, axes: Axes, palette: Palette) -> None:
        self.axes = axes
        self.palette = palette

    def box(self, left: float, top: float, width: float, height: float, **style: Any) -> None:
        """A rectangle with round corners."""
        style = {"facecolor": self.palette.box, "edgecolor": self.palette.line, "linewidth": 1, **style}
        round_corners = "round,pad=0,rounding_size=0.06"
        self.axes.add_patch(FancyBboxPatch((left, top), width, height, boxstyle=round_corners, **style))

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text with the baseline of its last line at y."""
        style = {"color": self.palette.ink, "ha": "center", "va": "baseline", "linespacing": 1.25, **style}
        self.axes.text(x, y, text, **style)

    def arrow(self, begin: tuple[float, float], end: tuple[float, float], **style: Any) -> None:
        """An arrow from one point to another."""
        style = {"color": self.palette.arrow, "linewidth": 1.6, "mutation_scale": 13, **style}
        self.axes.add_patch(FancyArrowPatch(begin, end, arrowstyle="-|>", shrinkA=0, shrinkB=0, **style))


def draw(target: Path, palette: Palette) -> None:
    """Writes the drawing as SVG, the same bytes for the same drawing."""
    with drawing(), rc_context({"svg.hashsalt": "architecture", "svg.fonttype": "path"}):
        figure = new_figure(WIDTH, HEIGHT)
        axes = new_sheet(figure)
        lay_out(axes, WIDTH, HEIGHT)
        sheet = Sheet(axes, palette)
        _package(sheet, 0.1, "pipeline/", "what runs, in which order, and its records", ABOVE)
        _steps(sheet, 2.1)
        purpose = "bundle, registry, scorer: numpy and onnxruntime, without TensorFlow and Beam"
        _package(sheet, 4.65, "serving/", purpose, BELOW)
        _folder(sheet, 0.1, "runs/", RUNS)
        _folder(sheet, 4.65, "models/", MODELS)
        _arrows(sheet)
        # Without these the same drawing has the same bytes.
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(target, format="svg", facecolor=palette.paper, metadata=nothing)


def _package(sheet: Sheet, top: float, name: str, purpose: str, files: dict[str, str]) -> None:
    sheet.box(0.1, top, 8.5, 1.45, facecolor=sheet.palette.band)
    _heading(sheet, top, name, purpose)
    for number, (file, use) in enumerate(files.items()):
        left = 0.25 + number * 1.385
        sheet.box(left, top + 0.46, 1.275, 0.84)
        sheet.text(left + 0.6375, top + 0.7, file, size=9.2, weight="bold")
        sheet.text(left + 0.6375, top + 1.13, use, size=8.5, color=sheet.palette.muted)


def _steps(sheet: Sheet, top: float) -> None:
    """The nine steps, in the order of the definition, with their outputs; gates are marked."""
    palette = sheet.palette
    sheet.box(0.1, top, 10.8, 2.0, facecolor=palette.band)
    _heading(sheet, top, "components/", "a folder for each step: artifacts in, one artifact out")
    for number, step in enumerate(pipeline(parse_run([]).config)):
        gate = step.name in GATES
        left = 0.25 + number * 1.1825
        sheet.box(left, top + 0.46, 1.04, 0.86, edgecolor=palette.gate if gate else palette.line, linewidth=1 + gate)
        sheet.text(left + 0.52, top + 0.7, step.name, size=9.5, weight="bold")
        sheet.text(left + 0.52, top + 1.13, STEPS[step.name], size=8, color=palette.muted)
        sheet.text(left + 0.52, top + 1.58, step.component.output.__name__, size=9)
        if gate:
            sheet.text(left + 0.52, top + 1.8, "passed, or reasons", size=7.5, color=palette.gate)
        if number:
            sheet.arrow((left - 0.1425, top + 0.89), (left, top + 0.89), mutation_scale=9, linewidth=1.2)
    rule = "gates: no step runs on a refused artifact"
    sheet.text(10.75, top + 0.28, rule, size=9, color=palette.gate, ha="right")


def _folder(sheet: Sheet, top: float, name: str, content: str) -> None:
    muted = sheet.palette.muted
    sheet.box(8.95, top, 1.95, 1.45, facecolor=sheet.palette.paper, linestyle=(0, (4, 2)), edgecolor=muted)
    sheet.text(9.1, top + 0.28, name, size=11, weight="bold", ha="left")
    sheet.text(9.1, top + 0.42, content, size=8.5, color=muted, ha="left", va="top", linespacing=1.4)


def _heading(sheet: Sheet, top: float, name: str, purpose: str) -> None:
    sheet.text(0.25, top + 0.28, name, size=11, weight="bold", ha="left")
    sheet.text(1.6, top + 0.28, purpose, size=9, color=sheet.palette.muted, ha="left")


def _arrows(sheet: Sheet) -> None:
    style: dict[str, Any] = {"size": 9, "color": sheet.palette.arrow}
    for begin, end in ((1.55, 2.1), (4.1, 4.65)):
        sheet.arrow((0.9, begin), (0.9, end), linewidth=2.4)
        sheet.text(1.1, begin + 0.32, "imports, never upwards", ha="left", **style)
    sheet.arrow((9.92, 2.1), (9.92, 1.55))
    sheet.text(9.75, 1.87, "every output, found by its key", ha="right", **style)
    sheet.arrow((9.92, 4.1), (9.92, 4.65))
    sheet.text(9.75, 4.42, "a version that passed, and its pointer", ha="right", **style)
    sheet.arrow((8.95, 5.37), (8.6, 5.37))


def main() -> int:
    """Writes both drawings. Returns the exit code."""
    for name, palette in PALETTES.items():
        draw(FOLDER / name, palette)
    return 0


if __name__ == "__main__":
    sys.exit(main())
