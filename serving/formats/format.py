"""What is said of each image, and a way of writing it down block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.errors import InputError
from serving.scorer import Scores


@dataclass(frozen=True)
class Columns:
    """What is said of each image.

    Attributes:
        classes: the class names by integer label.
        named: whether the name of its file stands in each row.
        probabilities: whether the probability of every class does.
        top: how many classes, the most probable first.
    """

    classes: tuple[str, ...]
    named: bool = False
    probabilities: bool = False
    top: int = 1

    def __post_init__(self) -> None:
        """Refuses more classes than there are. Raises: InputError."""
        if not 1 <= self.top <= len(self.classes):
            raise InputError(f"--top {self.top}: the model has {len(self.classes)} classes: give 1 to as many")

    @property
    def places(self) -> list[str]:
        """What the names of the columns of the best class end with, of the second best, and so on."""
        return ["", *map(str, range(2, self.top + 1))]

    @property
    def names(self) -> list[str]:
        """`index`, `file` where there is one, `label`, `class`, `confidence`, and what was asked for.

        The second best class has `label2`, `class2` and `confidence2`, and so on; probabilities are `p0`, `p1`, ….
        """
        ranked = [f"{column}{place}" for place in self.places for column in ("label", "class", "confidence")]
        probabilities = [f"p{label}" for label in range(len(self.classes))] if self.probabilities else []
        return ["index", *(["file"] if self.named else []), *ranked, *probabilities]


class Predictions(NamedTuple):
    """What the model says of the images of a block.

    Attributes:
        first_index: of the block's first image in the whole input.
        scores: of all its images.
        files: the name of each image's file, where the rows are named.
        readable: bool (n,), images that could be read: the scores of others mean nothing.
    """

    first_index: int
    scores: Scores
    files: list[str] | None
    readable: npt.NDArray[np.bool_]


class Format(ABC):
    """One way of writing predictions, block by block, so that what was written of a block stands for itself."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    @abstractmethod
    def header(self, rows: int) -> bytes:
        """What stands before the first of `rows` predictions."""

    @abstractmethod
    def encode(self, predictions: Predictions) -> bytes:
        """The rows of one block."""

    def finish(self, written: Path, finished: Path) -> Path:
        """Makes the file of what was written, where it is not that already. Returns: `written` or `finished`."""
        return written

    def ranked(self, scores: Scores) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The most probable classes and their probabilities, each (n, top)."""
        if self.columns.top == 1:
            return scores.labels[:, None], scores.confidences[:, None]
        labels = scores.top(self.columns.top)
        return labels, np.take_along_axis(scores.probabilities, labels, axis=1)
