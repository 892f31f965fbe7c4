"""Artifacts -> the images of a card, each with what is said of it; all of them together stay within 3 MB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import SPLITS, Examples
from components.artifacts.promotion import Promotion
from components.artifacts.statistics import Statistics
from pipeline.report.files import read_files
from pipeline.report.page import data_uri
from pipeline.report.samples import first_rows
from pipeline.report.tiles import read_tiles, to_tiles
from pipeline.report.worth_a_look import Prediction, choose

# A photograph of 64 × 64 pixels takes some 12 kB as PNG, and a third more in an address.
LARGE, SMALL = 96, 48
MOST_TILES = 80
LOOKED_AT = 6


def class_means(statistics: Statistics) -> list[dict[str, Any]]:
    """The mean training image of each class, by integer label; of classes that have one, the first ones."""
    split = statistics.splits["train"]
    labels = [label for label in range(len(statistics.class_names)) if split.label_counts.get(label)][:MOST_TILES]
    means = split.class_means()[labels].round().astype(np.uint8)
    return [{"label": label, "png": png} for label, png in zip(labels, _pngs(to_tiles(means, SMALL)), strict=True)]


def sample_images(examples: Examples) -> list[dict[str, Any]]:
    """The first images of each class, of both splits: `{label, train: [{row, file, png}], test: […]}`."""
    classes = min(len(examples.class_names), MOST_TILES // 2)
    most = max(1, min(5, MOST_TILES // (2 * classes)))
    shown = []
    for split in SPLITS:
        rows = first_rows(examples.all_labels(split), classes, most)
        found = rows[rows >= 0]
        pngs = iter(_pngs(read_tiles(examples, split, found, SMALL)))
        files = iter(read_files(examples, split, found))
        shown.append(
            [[{"row": int(row), "file": next(files), "png": next(pngs)} for row in part if row >= 0] for part in rows]
        )
    return [{"label": label, "train": shown[0][label], "test": shown[1][label]} for label in range(classes)]


def looked_at(examples: Examples, evaluation: Evaluation) -> dict[str, list[dict[str, Any]]]:
    """Single test images with the probabilities of their classes: usual ones, unsure ones, the worst errors."""
    chosen = choose(evaluation.probabilities(), examples.all_labels("test"), LOOKED_AT)
    kinds = {"usual": chosen.usual, "unsure": chosen.unsure, "worst": chosen.worst}
    rows = np.array([shown.row for kind in kinds.values() for shown in kind], np.int64)
    pngs = iter(_pngs(read_tiles(examples, "test", rows, LARGE)))
    files = iter(read_files(examples, "test", rows))
    return {name: [_said(shown, next(files), next(pngs)) for shown in kind] for name, kind in kinds.items()}


def discordant_images(examples: Examples, promotion: Promotion) -> list[dict[str, Any]]:
    """The test images that only one of champion and candidate gets right, the first of both kinds."""
    rows = np.array([pair.row for pair in promotion.pairs], np.int64)
    pngs = _pngs(read_tiles(examples, "test", rows, SMALL))
    files = read_files(examples, "test", rows)
    return [
        {
            "row": pair.row,
            "file": file,
            "label": pair.label,
            "champion": pair.champion,
            "candidate": pair.candidate,
            "gained": pair.gained,
            "png": png,
        }
        for pair, file, png in zip(promotion.pairs, files, pngs, strict=True)
    ]


def _said(shown: Prediction, file: str | None, png: str) -> dict[str, Any]:
    bars = [{"label": label, "p": p} for label, p in zip(shown.classes, shown.probabilities, strict=True)]
    return {"row": shown.row, "file": file, "label": shown.label, "right": shown.right, "bars": bars, "png": png}


def _pngs(tiles: npt.NDArray[np.uint8]) -> list[str]:
    """uint8 (n, h, w, 3) as addresses that hold a PNG each; grey ones as grey, which is a third as large."""
    from PIL import Image

    addresses = []
    for tile in tiles:
        grey = bool((tile[..., :1] == tile).all())
        out = io.BytesIO()
        Image.fromarray(tile[..., 0] if grey else tile).save(out, "PNG", optimize=True)
        addresses.append(data_uri(out.getvalue()))
    return addresses
