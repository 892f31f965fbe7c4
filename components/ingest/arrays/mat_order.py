"""Arrays of a .mat file -> the index that counts the rows: MATLAB's users have it last, as in SVHN (h, w, c, n)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from components.ingest.arrays.array_location import ArrayLocation
from components.ingest.arrays.array_names import IMAGES, LABELS
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

CHANNELS = (1, 3, 4)


def find_rows(arrays: Mapping[str, ArrayLocation]) -> dict[str, ArrayLocation]:
    """Finds out whether the first or the last index of images counts the rows, by the number of labels.

    Args:
        arrays: the images and labels of a split; those of other files than .mat are unchanged.

    Raises:
        InputError: both indices fit, or the header is damaged.
    """
    images = arrays[IMAGES]
    if not images.is_mat():
        return dict(arrays)
    shape, rows = images.shape(), next(iter(arrays[LABELS].shape()), 0)
    fits_first, fits_last = len(shape) in (3, 4) and shape[0] == rows, len(shape) in (3, 4) and shape[-1] == rows
    if fits_first and fits_last and len(shape) == 4:
        # The index of the channels is beside that of the rows, or at the other end.
        fits_first, fits_last = shape[3] in CHANNELS, shape[2] in CHANNELS
    if fits_first and fits_last:
        raise InputError(
            f"{shown(images.full_name)} has shape {shape} and {rows:,} labels, so the first or the last index may "
            "count the images: save the arrays with numpy.savez as x (n, height, width, channels) and y"
        )
    return {**arrays, IMAGES: replace(images, rows_last=fits_last)}
