"""Artifacts -> the images of a card as PNG data URIs, with their rows and labels; fewer than 3 MB on one card."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import SPLITS, Examples
from components.artifacts.promotion import Promotion
from components.artifacts.statistics import Statistics
from pipeline.report.figures.sample_plot import first_rows
from pipeline.report.figures.thumbnails import to_thumbnails
from pipeline.report.selected_examples import Prediction, select_examples

# Pixels of the longer side. A photograph of 64 × 64 pixels is about 12 kB as PNG, and 16 kB as data URI.
LARGE, SMALL = 96, 48
MAX_IMAGES = 80
# Of each kind; errors twice as many.
SELECTED = 6


def class_means(statistics: Statistics) -> list[dict[str, Any]]:
    """The mean training image of each class that has images, by integer label; at most MAX_IMAGES."""
    split = statistics.splits["train"]
    labels = [label for label in range(len(statistics.class_names)) if split.label_counts.get(label)][:MAX_IMAGES]
    means = statistics.class_means("train")[labels].round().astype(np.uint8)
    pngs = _data_uris(to_thumbnails(means, SMALL))
    return [{"label": label, "png": png} for label, png in zip(labels, pngs, strict=True)]


def sample_images(examples: Examples) -> list[dict[str, Any]]:
    """The first images of each class, of both splits: `{label, train: [{row, file, png}], test: […]}`."""
    classes = min(len(examples.class_names), MAX_IMAGES // 2)
    most = max(1, min(5, MAX_IMAGES // (2 * classes)))
    by_split = []
    for split in SPLITS:
        rows = first_rows(examples.all_labels(split), classes, most)
        images = iter(_images(examples, split, rows[rows >= 0], SMALL))
        by_split.append([[next(images) for row in of_class if row >= 0] for of_class in rows])
    return [{"label": label, "train": by_split[0][label], "test": by_split[1][label]} for label in range(classes)]


def selected_images(examples: Examples, evaluation: Evaluation) -> dict[str, list[dict[str, Any]]]:
    """Selected test images with the probabilities of their classes, by kind: `usual`, `unsure`, `worst`."""
    kinds = select_examples(evaluation.probabilities(), examples.all_labels("test"), SELECTED)._asdict()
    rows = np.array([prediction.row for kind in kinds.values() for prediction in kind], np.int64)
    images = iter(_images(examples, "test", rows, LARGE))
    return {name: [{**next(images), **_values(prediction)} for prediction in kind] for name, kind in kinds.items()}


def discordant_images(examples: Examples, promotion: Promotion) -> list[dict[str, Any]]:
    """The first test images that only the champion, and that only the candidate, predicts correctly."""
    rows = np.array([image.row for image in promotion.discordant], np.int64)
    images = _images(examples, "test", rows, SMALL)
    return [
        {**image, **asdict(found), "gained": found.gained}
        for found, image in zip(promotion.discordant, images, strict=True)
    ]


def _values(prediction: Prediction) -> dict[str, Any]:
    bars = [{"label": label, "p": p} for label, p in zip(prediction.classes, prediction.probabilities, strict=True)]
    return {"label": prediction.label, "right": prediction.right, "bars": bars}


def _images(examples: Examples, split: str, rows: npt.NDArray[np.int64], max_side: int) -> list[dict[str, Any]]:
    """`{row, file, png}` of some rows of a split, in the order of `rows`; `file` is None if the row was not a file."""
    pngs = _data_uris(to_thumbnails(examples.images_at(split, rows), max_side))
    files = examples.names_at(split, rows)
    return [{"row": row, "file": file, "png": png} for row, file, png in zip(rows.tolist(), files, pngs, strict=True)]


def _data_uris(thumbnails: npt.NDArray[np.uint8]) -> list[str]:
    """uint8 (n, h, w, 3) as data URIs of PNG; grey images as grey PNG, which is a third as large."""
    from PIL import Image

    uris = []
    for thumbnail in thumbnails:
        grey = bool((thumbnail[..., :1] == thumbnail).all())
        out = io.BytesIO()
        Image.fromarray(thumbnail[..., 0] if grey else thumbnail).save(out, "PNG", optimize=True)
        uris.append(data_uri(out.getvalue()))
    return uris


def data_uri(png: bytes) -> str:
    """A PNG as an address that contains the whole file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
