"""Predictions and Evaluation: the candidate's figures on the test set, and the verdict of the gate."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from components.artifacts.artifact import Artifact, RuleResult
from components.artifacts.npy_writer import write_array
from serving.wilson import Estimate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PROBABILITIES = "probabilities.npy"


@dataclass(frozen=True)
class Bin:
    """The rows whose confidence, the probability of the predicted class, lies between two limits.

    Attributes:
        name: the limits, e.g. `0.9333 to 1`; the lower one belongs to the bin below, 0 to the first bin.
        rows: their number.
        confidence: their mean confidence, a fraction; None without rows.
        accuracy: the fraction of them that is predicted correctly; None without rows.
    """

    name: str
    rows: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class; an estimate is None if its denominator is 0.

    Attributes:
        name: the class's name.
        rows: test images of the class.
        predicted: test images that are predicted as the class.
        correct: test images that are both.
        precision: correct / predicted.
        recall: correct / rows.
        f1: harmonic mean of precision and recall.
    """

    name: str
    rows: int
    predicted: int
    correct: int
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None


@dataclass(frozen=True, kw_only=True)
class Predictions(Artifact):
    """The trained model's probabilities for the test set.

    Attributes:
        weights_sha256: the digest of the model's weights.
        test_sha256: the digest of the test set.
    """

    FILE = "predictions.json"

    weights_sha256: str
    test_sha256: str

    def probabilities(self) -> npt.NDArray[np.float32]:
        """float32 (rows, classes): the probabilities for each test image, in order; each row sums to 1."""
        import numpy as np

        probabilities: npt.NDArray[np.float32] = np.load(self.path / PROBABILITIES, allow_pickle=False)
        return probabilities

    def write_probabilities(self, probabilities: npt.NDArray[np.float32]) -> Self:
        """Writes the probabilities for each test image, float32 (rows, classes)."""
        write_array(self.path / PROBABILITIES, probabilities)
        return self

    def summary(self) -> str:
        """The model and the test set."""
        return f"probabilities of the weights {self.weights_sha256[:12]} for the test set {self.test_sha256[:12]}"


@dataclass(frozen=True, kw_only=True)
class Evaluation(Predictions):
    """Predictions, and what they are worth.

    Attributes:
        probabilities_sha256: the digest of the model's probabilities for the test set.
        rows: number of test images.
        correct: number of test images that are predicted correctly.
        interval: lower and upper end of the accuracy's Wilson 95 % interval, fractions.
        loss: mean cross-entropy, in nats.
        min_accuracy: the limit for the interval's lower end; None if it is not set.
        min_recall: the limit for the lower end of each class's recall; None if it is not set.
        confusion: counts by true label (rows) and predicted label (columns).
        classes: the figures of each class, by integer label.
        calibration_error: the expected calibration error, a fraction.
        calibration: the bins of confidence that it is computed from.
        rules: all rules of the gate, each with its arithmetic.
    """

    FILE = "evaluation.json"
    LIMITS = ("min_accuracy", "min_recall", "rules", "passed", "reasons")

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
    rules: tuple[RuleResult, ...]

    @property
    def accuracy(self) -> float:
        """Fraction of the test images that is predicted correctly."""
        return self.correct / self.rows

    def predictions(self) -> npt.NDArray[np.int64]:
        """int64 (rows,): the predicted label of each test image, in order."""
        labels: npt.NDArray[np.int64] = self.probabilities().argmax(axis=1)
        return labels

    def summary(self) -> str:
        """The arithmetic of every rule of the gate, the loss and the calibration error."""
        # The step's verdict says whether a single rule holds.
        refused = "refused: " if len(self.rules) > 1 else ""
        rules = "; ".join(rule.message if rule.passed else f"{refused}{rule.message}" for rule in self.rules)
        return f"{rules}; loss {self.loss:.4f}, calibration error {self.calibration_error:.4f}"


def probabilities_sha256(probabilities: npt.NDArray[np.float32]) -> str:
    """SHA-256 of probabilities, float32 (rows, classes), as C-ordered bytes, little-endian."""
    import numpy as np

    return hashlib.sha256(np.ascontiguousarray(probabilities, "<f4").data).hexdigest()
