"""Predictions as one array: .npy."""

from __future__ import annotations

import io

import numpy as np

from serving.batch.formats.format import Columns, Format, Predictions
from serving.errors import InputError


class Npy(Format):
    """Labels int64 (n,) or (n, top), or probabilities float32 (n, classes); -1 or NaN for unreadable images."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        if columns.probabilities and columns.top > 1:
            raise InputError("--top and --probabilities: .npy holds one array: omit one of them, or write a .csv")

    def header(self, rows: int) -> bytes:
        """The type and the shape, padded by numpy."""
        dtype, shape = "<i8", (rows, self.columns.top)[: 1 + (self.columns.top > 1)]
        if self.columns.probabilities:
            dtype, shape = "<f4", (rows, len(self.columns.classes))
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
        return header.getvalue()

    def encode(self, predictions: Predictions) -> bytes:
        """The rows of one block."""
        readable = predictions.readable
        if self.columns.probabilities:
            probabilities = predictions.scores.probabilities
            return np.where(readable[:, None], probabilities, np.float32(np.nan)).astype("<f4").tobytes()
        labels, _ = self.ranked(predictions.scores)
        return np.where(readable[:, None], labels, -1).astype("<i8").tobytes()
