"""Probabilities of several backends + the exact ones -> Rules: do they agree as closely as float32 can?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.rounding.scatter import Rounding
from serving.scoring.agreement import used_fraction

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answer:
    """The probabilities of one backend.

    Attributes:
        name: of the backend and its batches, for messages: `ONNX`, `Keras in batches of 7`.
        probabilities: float32 (m, classes).
        rows: int64 (m,), their test images.
    """

    name: str
    probabilities: Probabilities
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Expected:
    """What the backends are compared with.

    Attributes:
        probabilities: float64 (n, classes), for each test image: exact, or the Keras model's where the exact ones were
            not calculated.
        allowed: float64 (n, classes), the largest difference.
    """

    probabilities: npt.NDArray[np.float64]
    allowed: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rounding: Rounding, keras: Probabilities) -> Expected:
        """The exact probabilities, and Keras's, float32 (n, classes), for all other images."""
        probabilities = keras.astype(np.float64)
        # Both sides of the comparison are rounded.
        allowed = 2 * (rounding.relative * probabilities + rounding.floors.max())
        probabilities[rounding.rows], allowed[rounding.rows] = rounding.exact, rounding.allowed
        return cls(probabilities, allowed)


def compare_probabilities(
    rule: str, what: str, answers: Sequence[Answer], expected: Expected
) -> tuple[RuleResult, float]:
    """The rule that no probability differs by more than is allowed.

    Args:
        rule: its name.
        what: what is compared, for its message.
        answers: one or more.
        expected: what they are compared with.

    Returns: the rule, and the largest difference as a fraction of what is allowed.
    """
    worst, worst_answer, place = -1.0, answers[0], (0, 0)
    for answer in answers:
        used = used_fraction(answer.probabilities, expected.probabilities[answer.rows], expected.allowed[answer.rows])
        if used.max(initial=0.0) > worst:
            worst, worst_answer = float(used.max(initial=0.0)), answer
            place = np.unravel_index(int(used.argmax()), used.shape)  # type: ignore[assignment]
    row = int(worst_answer.rows[place[0]])
    label = int(place[1])
    found = float(worst_answer.probabilities[place])
    exact, allowed = float(expected.probabilities[row, label]), float(expected.allowed[row, label])
    where = f"{worst_answer.name}, test image {row}, class {label}"
    if worst <= 1:
        text = (
            f"{what}: at most {worst:.2f} of what rounding allows ({abs(found - exact):.1e} of {allowed:.1e}: {where})"
        )
        return RuleResult(rule, True, text), worst
    text = f"{where}: probability {found:.9g}, the trained weights give {exact:.9g}, and rounding allows a difference "
    return RuleResult(rule, False, f"{text}of {allowed:.1e}: export again"), worst


def compare_classes(answers: Sequence[Answer], expected: Expected) -> tuple[RuleResult, tuple[str, ...]]:
    """The rule that all backends predict the same classes, except where rounding decides.

    Args:
        answers: one by backend, each for all test images.
        expected: the exact probabilities.

    Returns: the rule, and a sentence for each image with different classes.
    """
    classes = np.stack([expected.probabilities.argmax(axis=1), *(a.probabilities.argmax(axis=1) for a in answers)])
    listed, refusing = [], []
    for row in np.flatnonzero((classes != classes[0]).any(axis=0)).tolist():
        first, second = np.argsort(expected.probabilities[row])[:-3:-1]
        gap = float(expected.probabilities[row, first] - expected.probabilities[row, second])
        allowed = float(expected.allowed[row, first] + expected.allowed[row, second])
        names = ["the trained weights", *(answer.name for answer in answers)]
        text = ", ".join(f"{name} {label}" for name, label in zip(names, classes[:, row].tolist(), strict=True))
        listed.append(f"test image {row}: {text}; margin {gap:.1e}, rounding allows {allowed:.1e}")
        if not gap <= allowed or any(not np.isfinite(a.probabilities[row]).all() for a in answers):
            refusing.append(listed[-1])
    rows = classes.shape[1]
    if refusing:
        text = f"{len(refusing):,} of {rows:,} test images are given other classes; first: {refusing[0]}: export again"
        return RuleResult("classes", False, text), tuple(listed)
    text = f"{_joined([a.name for a in answers])} agree on {rows - len(listed):,} of {rows:,} test images"
    if listed:
        text += ", the others are decided by rounding"
    return RuleResult("classes", True, text), tuple(listed)


def largest_difference(by_backend: Sequence[Probabilities]) -> float:
    """The largest difference of one probability between any two backends; infinite if one is not finite."""
    stacked = np.stack(by_backend)
    if not np.isfinite(stacked).all():
        return float("inf")
    return float((stacked.max(axis=0) - stacked.min(axis=0)).max(initial=0.0))


def _joined(names: Sequence[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))
