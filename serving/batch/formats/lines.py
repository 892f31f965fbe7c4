"""Predictions as text, one line per image: .csv and .jsonl."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod

import numpy as np

from serving.batch.formats.characters import Characters, fractions, integers, lines, texts
from serving.batch.formats.format import Columns, Format, Predictions


class _Lines(Format):
    """One line per image, none for an unreadable image."""

    start, separator, end = b"", b",", b"\n"

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self._classes = [
            texts([self._named(f"class{suffix}", self._quoted(name)) for name in columns.classes])
            for suffix in columns.rank_suffixes
        ]

    def encode(self, predictions: Predictions) -> bytes:
        """The lines of one block, in UTF-8."""
        labels, confidences = self.ranked(predictions.scores)
        first, probabilities = predictions.first_index, predictions.scores.probabilities
        written = [(self._named("index", ""), integers(np.arange(first, first + len(labels))))]
        if predictions.files is not None:
            written.append((self._named("file", ""), texts([self._quoted(name) for name in predictions.files])))
        for rank, suffix in enumerate(self.columns.rank_suffixes):
            written.append((self._named(f"label{suffix}", ""), integers(labels[:, rank])))
            written.append(("", self._classes[rank][labels[:, rank]]))
            written.append((self._named(f"confidence{suffix}", ""), fractions(confidences[:, rank])))
        if self.columns.probabilities:
            for label in range(len(self.columns.classes)):
                written.append((self._named(f"p{label}", ""), fractions(probabilities[:, label])))
        pieces: list[Characters | bytes] = []
        for name, values in written:
            pieces += [self.separator if pieces else self.start, name.encode(), values]
        return lines([*pieces, self.end], predictions.readable)

    @abstractmethod
    def _named(self, column: str, text: str) -> str:
        """A text after its column's name, if each line of the format has the names."""

    @abstractmethod
    def _quoted(self, text: str) -> str:
        """A class name or file name, quoted for a line."""


class Csv(_Lines):
    """`index,label,class,confidence`; lines end with a line feed, probabilities have 7 digits."""

    def header(self, rows: int) -> bytes:
        """The columns' names."""
        return (",".join(self.columns.names) + "\n").encode()

    def _named(self, column: str, text: str) -> str:
        return text

    def _quoted(self, text: str) -> str:
        # The csv module decides which texts need quotes. With the usual line end it quotes both of its characters.
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(["", text])
        return line.getvalue()[1:].removesuffix("\r\n")


class JsonLines(_Lines):
    """One object per line, with the columns' names; probabilities have 7 digits."""

    start, separator, end = b"{", b", ", b"}\n"

    def header(self, rows: int) -> bytes:
        """Empty: each line has the columns' names."""
        return b""

    def _named(self, column: str, text: str) -> str:
        return f'"{column}": {text}'

    def _quoted(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False)
