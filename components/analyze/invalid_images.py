"""Images and labels -> InvalidRows by kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.statistics import InvalidRows

Images = npt.NDArray[Any]
Labels = npt.NDArray[Any]


def find_invalid_images(images: Images, first_row: int) -> dict[str, InvalidRows]:
    """Finds images with invalid pixels, or with one value in every pixel, among (n, h, w, c) of any numeric type.

    Returns:
        The kinds that occur: `constant` with the pixels' value; `nan` with the number of pixels that are not finite;
        `range` with the pixel that is farthest outside of 0 to 255.
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
    # In floats: bool and unsigned types have no negative differences.
    farthest = np.where(255.0 - low > high.astype(np.float64), low, high)
    outside = np.flatnonzero((low < 0) | (high > 255))
    unknown = (~finite).sum(axis=1)
    rows = np.flatnonzero(unknown)
    return _kinds(first_row, {"nan": (rows, unknown[rows]), "range": (outside, farthest[outside])})


def find_invalid_labels(labels: Labels, classes: int, first_row: int) -> dict[str, InvalidRows]:
    """Finds labels, (n,) of any numeric type, that are not a class.

    Returns:
        The kinds that occur: `label-nan` with 0; `label-fraction`, and `label-range` outside of 0 to classes - 1, with
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
    # Python's integers: a float cannot hold every large label.
    values["label-range"] = np.array([int(label) for label in values["label-range"].tolist()], object)
    return _kinds(first_row, {kind: (found, values[kind]) for kind, found in rows.items()})


def _constant(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """The rows whose pixels are all equal; comparing three pixels first leaves few candidates."""
    middle = pixels.shape[1] // 2
    candidates = np.flatnonzero((pixels[:, 0] == pixels[:, middle]) & (pixels[:, 0] == pixels[:, middle // 2]))
    found: npt.NDArray[np.intp] = candidates[(pixels[candidates] == pixels[candidates, :1]).all(axis=1)]
    return found


def _kinds(first_row: int, found: dict[str, tuple[npt.NDArray[np.intp], npt.NDArray[Any]]]) -> dict[str, InvalidRows]:
    return {
        kind: InvalidRows.of(zip((rows + first_row).tolist(), values.tolist(), strict=True))
        for kind, (rows, values) in found.items()
        if len(rows)
    }
