"""Examples -> sample images of every class, from both splits, with their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import SPLITS, Examples
from pipeline.report.figures.style import lay_out, new_figure, new_sheet
from pipeline.report.figures.text_fitting import fit_text, width_inches
from pipeline.report.figures.thumbnails import framed, mosaic, to_thumbnails

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Classes in one column; more go into further panels beside the first.
PANEL_CLASSES = 20
MAX_CLASSES = 100
# In inches.
THUMBNAIL_WIDTH, HEADING, MARGIN = 0.42, 0.28, 0.12
NAME_SIZE = 9


def samples(examples: Examples) -> Figure:
    """The first images of each class, training beside test; pixel value 0 is black."""
    names = [fit_text(name, 9) for name in examples.class_names[:MAX_CLASSES]]
    panels = -(-len(names) // PANEL_CLASSES)
    deep = -(-len(names) // panels)
    most = min(8, max(2, 10 // panels))
    mosaics = {split: _mosaics(examples, split, deep, panels, most) for split in SPLITS}
    tall, wide, _ = mosaics["train"][0].shape
    part_width = most * THUMBNAIL_WIDTH
    part_height = part_width * tall / wide
    name_width = max(width_inches(name, NAME_SIZE) for name in names)
    panel_width = name_width + 2 * part_width + 4 * MARGIN
    width, height = panels * panel_width, 2 * HEADING + part_height + MARGIN
    figure = new_figure(width, height)
    axes = new_sheet(figure)
    lay_out(axes, width, height)
    axes.text(width / 2, HEADING / 2, _title(examples), ha="center", va="center", size=11)
    for panel in range(panels):
        left = panel * panel_width + MARGIN + name_width
        _draw_names(axes, names[panel * deep : (panel + 1) * deep], left, part_height / deep)
        for place, split in enumerate(SPLITS):
            start = left + MARGIN + place * (part_width + MARGIN)
            heading = "training" if split == "train" else split
            axes.text(start + part_width / 2, 1.5 * HEADING, heading, ha="center", va="center")
            extent = (start, start + part_width, 2 * HEADING + part_height, 2 * HEADING)
            axes.imshow(mosaics[split][panel], extent=extent)
    return figure


def first_rows(labels: npt.NDArray[np.int64], classes: int, most: int) -> npt.NDArray[np.int64]:
    """The first rows of each class: int64 (classes, most), filled with -1.

    Args:
        labels: int64 (n,); other labels than 0 to classes - 1 are ignored.
        classes: number of classes.
        most: largest number of rows per class.
    """
    found = np.full((classes, most), -1, np.int64)
    for label in range(classes):
        rows = np.flatnonzero(labels == label)[:most]
        found[label, : len(rows)] = rows
    return found


def _mosaics(examples: Examples, split: str, deep: int, panels: int, most: int) -> list[npt.NDArray[np.uint8]]:
    """One image per panel with one row of thumbnails per class; the end of the last panel may be white."""
    rows = first_rows(examples.all_labels(split), deep * panels, most)
    places = np.full(rows.shape, -1, np.int64)
    places[rows >= 0] = np.arange((rows >= 0).sum())
    thumbnails = framed(to_thumbnails(examples.images_at(split, rows[rows >= 0])))
    return [mosaic(thumbnails, part) for part in np.split(places, panels)]


def _title(examples: Examples) -> str:
    classes = len(examples.class_names)
    shown = f"{classes:,} classes" if classes <= MAX_CLASSES else f"the first {MAX_CLASSES} of {classes:,} classes"
    return f"{fit_text(examples.dataset)}: images of {shown}"


def _draw_names(axes: Axes, names: list[str], right: float, pitch: float) -> None:
    for place, name in enumerate(names):
        axes.text(right, 2 * HEADING + (place + 0.5) * pitch, name, ha="right", va="center", size=NAME_SIZE)
