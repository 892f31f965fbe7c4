"""Evaluation: what the candidate scores on the test split, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import Artifact, read_values, values
from serving.files import write_json


@dataclass(frozen=True, kw_only=True)
class Evaluation(Artifact):
    """Attributes:
    test_sha256: the digest of the test split that was scored.
    rows: number of test images.
    correct: how many of them got their own label.
    interval: lower and upper end of the accuracy's Wilson 95 % interval, fractions.
    loss: mean cross-entropy, in nats.
    min_accuracy: the limit for the interval's lower end; None when nobody set one.
    confusion: rows by true label, columns by predicted label.
    """

    test_sha256: str
    rows: int
    correct: int
    interval: tuple[float, float]
    loss: float
    min_accuracy: float | None
    confusion: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> float:
        """Fraction of the test images that got their own label."""
        return self.correct / self.rows

    def probabilities(self) -> npt.NDArray[np.float32]:
        """float32 (rows, classes): what the model says of each test image, in order; each row sums to 1."""
        probabilities: npt.NDArray[np.float32] = np.load(self.path / "probabilities.npy", allow_pickle=False)
        return probabilities

    def predictions(self) -> npt.NDArray[np.int64]:
        """int64 (rows,): the predicted label of each test image, in order."""
        labels: npt.NDArray[np.int64] = self.probabilities().argmax(axis=1)
        return labels

    def write_probabilities(self, probabilities: npt.NDArray[np.float32]) -> Self:
        """Writes what the model says of each test image, float32 (rows, classes)."""
        np.save(self.path / "probabilities.npy", probabilities)
        return self

    def save(self) -> Self:
        """Writes evaluation.json; the rows' outcomes are written by `write_probabilities`."""
        write_json(self.path / "evaluation.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads evaluation.json."""
        return cls(path=path, **read_values(path / "evaluation.json"))

    def summary(self) -> str:
        """The gate's arithmetic and the loss."""
        return f"{'; '.join(self.reasons)}; loss {self.loss:.4f}"
