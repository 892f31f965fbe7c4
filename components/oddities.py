"""Images and labels -> the rows that are not as rows should be, by kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.odd import Odd

Images = npt.NDArray[Any]
Labels = npt.NDArray[Any]


def odd_images(images: Images, first_row: int) -> dict[str, Odd]:
    """Images that are odd.

    Args:
        images: (n, h, w, c) of any type of numbers.
        first_row: the row of the first one.

    Returns:
        Of kinds that occur: `constant` with the one value; `nan` with the number of pixels that are no finite number;
        `range` with the pixel that is the farthest outside of 0 to 255.
    """
    pixels = images.reshape(len(images), -1)
    if not pixels.size:
        return {}
    if images.dtype == np.uint8:
        constant = _constant(pixels)
        return _kinds(first_row, {"constant": (constant, pixels[constant, 0])})
    finite = np.isfinite(pixels)
    low = np.where(finite, pixels, 0).min(axis=1)
    high = np.where(finite, pixels, 0).max(axis=1)
    # Of bool and unsigned types, a difference is none.
    farthest = np.where(255.0 - low > high.astype(np.float64), low, high)
    outside = np.flatnonzero((low < 0) | (high > 255))
    unknown = (~finite).sum(axis=1)
    rows = np.flatnonzero(unknown)
    return _kinds(first_row, {"nan": (rows, unknown[rows]), "range": (outside, farthest[outside])})


def odd_labels(labels: Labels, classes: int, first_row: int) -> dict[str, Odd]:
    """Labels that are odd.

    Args:
        labels: (n,) of any type of numbers.
        classes: how many there are.
        first_row: the row of the first one.

    Returns:
        Of kinds that occur: `label-nan` with 0; `label-fraction` and `label-range`, outside of 0 to classes - 1, with
        the label.
    """
    finite = np.isfinite(labels)
    known = np.where(finite, labels, 0)
    whole = known == np.floor(known)
    masks = {
        "label-nan": ~finite,
        "label-fraction": finite & ~whole,
        "label-range": finite & whole & ((known < 0) | (known >= classes)),
    }
    rows = {kind: np.flatnonzero(mask) for kind, mask in masks.items()}
    values = {kind: known[found] for kind, found in rows.items()}
    # Python's integers: a float would not say a great label as it is.
    values["label-range"] = np.array([int(label) for label in values["label-range"].tolist()], object)
    return _kinds(first_row, {kind: (found, values[kind]) for kind, found in rows.items()})


def _constant(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """The rows of which all pixels are equal; three of them find the few that may be."""
    middle = pixels.shape[1] // 2
    maybe = np.flatnonzero((pixels[:, 0] == pixels[:, middle]) & (pixels[:, 0] == pixels[:, middle // 2]))
    found: npt.NDArray[np.intp] = maybe[(pixels[maybe] == pixels[maybe, :1]).all(axis=1)]
    return found


def _kinds(first_row: int, found: dict[str, tuple[npt.NDArray[np.intp], npt.NDArray[Any]]]) -> dict[str, Odd]:
    return {
        kind: Odd.of(zip((rows + first_row).tolist(), values.tolist(), strict=True))
        for kind, (rows, values) in found.items()
        if len(rows)
    }
