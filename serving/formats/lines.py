"""Predictions as text, a line an image: .csv and .jsonl."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod

import numpy as np

from serving.formats.characters import Characters, fractions, integers, lines, texts
from serving.formats.format import Columns, Format, Predictions


class _Lines(Format):
    """A line an image; an image that could not be read has none."""

    start, separator, end = b"", b",", b"\n"

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self._classes = [
            texts([self._named(f"class{place}", self._quoted(name)) for name in columns.classes])
            for place in columns.places
        ]

    def encode(self, predictions: Predictions) -> bytes:
        """The lines of one block, in UTF-8."""
        labels, confidences = self.ranked(predictions.scores)
        first, probabilities = predictions.first_index, predictions.scores.probabilities
        written = [(self._named("index", ""), integers(np.arange(first, first + len(labels))))]
        if predictions.files is not None:
            written.append((self._named("file", ""), texts([self._quoted(name) for name in predictions.files])))
        for rank, place in enumerate(self.columns.places):
            written.append((self._named(f"label{place}", ""), integers(labels[:, rank])))
            written.append(("", self._classes[rank][labels[:, rank]]))
            written.append((self._named(f"confidence{place}", ""), fractions(confidences[:, rank])))
        if self.columns.probabilities:
            for label in range(len(self.columns.classes)):
                written.append((self._named(f"p{label}", ""), fractions(probabilities[:, label])))
        pieces: list[Characters | bytes] = []
        for name, values in written:
            pieces += [self.separator if pieces else self.start, name.encode(), values]
        return lines([*pieces, self.end], predictions.readable)

    @abstractmethod
    def _named(self, column: str, text: str) -> str:
        """A text with its column's name before it, where the format has that in each line."""

    @abstractmethod
    def _quoted(self, text: str) -> str:
        """A text from outside as it stands in a line."""


class Csv(_Lines):
    """`index,label,class,confidence`, lines end with a line feed; probabilities have 7 digits."""

    def header(self, rows: int) -> bytes:
        """The columns' names."""
        return (",".join(self.columns.names) + "\n").encode()

    def _named(self, column: str, text: str) -> str:
        return text

    def _quoted(self, text: str) -> str:
        # The csv module knows when a text needs quotes. It is told the usual end of line, so that it quotes both of its
        # characters.
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(["", text])
        return line.getvalue()[1:].removesuffix("\r\n")


class JsonLines(_Lines):
    """An object a line, with the columns' names; probabilities have 7 digits."""

    start, separator, end = b"{", b", ", b"}\n"

    def header(self, rows: int) -> bytes:
        """Nothing: each line says its columns."""
        return b""

    def _named(self, column: str, text: str) -> str:
        return f'"{column}": {text}'

    def _quoted(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False)
