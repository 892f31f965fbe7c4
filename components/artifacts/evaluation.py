"""Evaluation: what the candidate scores on the test split, and whether that is enough."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import Artifact, read_values, values
from components.artifacts.rule import Rule
from components.calibration import Bin
from components.confusion import ClassFigures
from serving.files import write_json


@dataclass(frozen=True, kw_only=True)
class Evaluation(Artifact):
    """Attributes:
    weights_sha256: the digest of the weights that were evaluated.
    test_sha256: the digest of the test split that was scored.
    probabilities_sha256: the digest of what the model says of each test image.
    rows: number of test images.
    correct: how many of them got their own label.
    interval: lower and upper end of the accuracy's Wilson 95 % interval, fractions.
    loss: mean cross-entropy, in nats.
    min_accuracy: the limit for the interval's lower end; None when nobody set one.
    min_recall: the limit for the lower end of each class's recall; None when nobody set one.
    confusion: rows by true label, columns by predicted label.
    classes: the figures of each class, by integer label.
    calibration_error: the expected calibration error, 0 to 1, a fraction.
    calibration: the bins of confidence that it was computed from.
    rules: every rule of the gate with its arithmetic, whether it holds or not.
    """

    weights_sha256: str
    test_sha256: str
    probabilities_sha256: str
    rows: int
    correct: int
    interval: tuple[float, float]
    loss: float
    min_accuracy: float | None
    min_recall: float | None
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassFigures, ...]
    calibration_error: float
    calibration: tuple[Bin, ...]
    rules: tuple[Rule, ...]

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
        said = read_values(path / "evaluation.json")
        return cls(
            path=path,
            classes=tuple(ClassFigures.read(figures) for figures in said.pop("classes")),
            calibration=tuple(Bin(**found) for found in said.pop("calibration")),
            rules=tuple(Rule(**rule) for rule in said.pop("rules")),
            **said,
        )

    def summary(self) -> str:
        """The arithmetic of every rule of the gate, the loss and the calibration error."""
        # Of one rule, the step's verdict says whether it holds.
        refused = "refused: " if len(self.rules) > 1 else ""
        rules = "; ".join(rule.words if rule.passed else f"{refused}{rule.words}" for rule in self.rules)
        return f"{rules}; loss {self.loss:.4f}, calibration error {self.calibration_error:.4f}"


def probabilities_sha256(probabilities: npt.NDArray[np.float32]) -> str:
    """SHA-256 of probabilities, float32 (rows, classes), as C-ordered bytes, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(probabilities, "<f4").data).hexdigest()
