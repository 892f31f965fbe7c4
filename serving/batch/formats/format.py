"""The columns of the predictions, and a format that writes them block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.errors import InputError
from serving.scoring.scorer import Scores


@dataclass(frozen=True)
class Columns:
    """The columns that are written for each image.

    Attributes:
        classes: the class names by integer label.
        named: whether rows have a column `file`.
        probabilities: whether rows have the probability of every class.
        top: number of classes in each row, the most probable first.
    """

    classes: tuple[str, ...]
    named: bool = False
    probabilities: bool = False
    top: int = 1

    def __post_init__(self) -> None:
        """Refuses more classes than the model has. Raises: InputError."""
        classes = len(self.classes)
        if not 1 <= self.top <= classes:
            raise InputError(f"--top {self.top}: the model has {classes} classes: give a number from 1 to {classes}")

    @property
    def rank_suffixes(self) -> list[str]:
        """The suffixes of the column names for the best class, the second best, and so on."""
        return ["", *map(str, range(2, self.top + 1))]

    @property
    def names(self) -> list[str]:
        """`index`, `file` if rows are files, `label`, `class`, `confidence`, then further classes and probabilities.

        The second best class has `label2`, `class2` and `confidence2`, and so on; probabilities are `p0`, `p1`, ….
        """
        ranked = [f"{column}{suffix}" for suffix in self.rank_suffixes for column in ("label", "class", "confidence")]
        probabilities = [f"p{label}" for label in range(len(self.classes))] if self.probabilities else []
        return ["index", *(["file"] if self.named else []), *ranked, *probabilities]


class Predictions(NamedTuple):
    """The predictions for the images of a block.

    Attributes:
        first_index: the index of the block's first image in the whole input.
        scores: the scores of all images of the block.
        files: the name of each image's file, if rows are files.
        readable: bool (n,), whether the image is readable; the scores of other images are meaningless.
    """

    first_index: int
    scores: Scores
    files: list[str] | None
    readable: npt.NDArray[np.bool_]


class Format(ABC):
    """A format of predictions; the bytes of a block do not depend on other blocks."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    @abstractmethod
    def header(self, rows: int) -> bytes:
        """The bytes before the first of `rows` predictions."""

    @abstractmethod
    def encode(self, predictions: Predictions) -> bytes:
        """The rows of one block."""

    def finish(self, written: Path, finished: Path) -> Path:
        """Converts the written bytes to the final file, if they differ. Returns: `written` or `finished`."""
        return written

    def ranked(self, scores: Scores) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The most probable classes and their probabilities, each (n, top)."""
        if self.columns.top == 1:
            return scores.labels[:, None], scores.confidences[:, None]
        labels = scores.top(self.columns.top)
        return labels, np.take_along_axis(scores.probabilities, labels, axis=1)
