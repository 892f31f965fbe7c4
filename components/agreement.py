"""Answers of several implementations of one model -> rules: do they say the same?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.artifacts.rule import Rule

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """What came of the comparison.

    Attributes:
        disagreements: every row where they do not give one class, as a sentence with its margin: how far the two
            best probabilities are apart where one of them is surest.
        rules: of the classes, and of the probabilities.
    """

    disagreements: tuple[str, ...]
    rules: tuple[Rule, Rule]


def compare(answers: dict[str, Probabilities], margin: float, tolerance: float) -> Agreement:
    """Holds the answers of several implementations against each other.

    Args:
        answers: probabilities, float32 (n, classes), by the implementation's name.
        margin: a disagreement about the class refuses where its margin is at least this.
        tolerance: of a probability.
    """
    classes = np.stack([probabilities.argmax(axis=1) for probabilities in answers.values()])
    best = np.stack([np.sort(probabilities, axis=1)[:, -2:] for probabilities in answers.values()])
    margins = (best[:, :, 1] - best[:, :, 0]).max(axis=0)
    listed, refusing = [], []
    for row in np.flatnonzero((classes != classes[0]).any(axis=0)).tolist():
        said = ", ".join(f"{name} {label}" for name, label in zip(answers, classes[:, row].tolist(), strict=True))
        listed.append(f"test image {row}: {said}; margin {margins[row]:.1e}")
        if margins[row] >= margin:
            refusing.append(listed[-1])
    rows = classes.shape[1]
    names = " and ".join(", ".join(answers).rsplit(", ", 1))
    words = f"{names} agree on {rows - len(listed):,} of {rows:,} test images"
    if refusing:
        words = f"{len(refusing)} disagreements with a margin ≥ {margin:.0e}, first: {refusing[0]}"
    elif listed:
        words = f"{words}, the others with a margin < {margin:.0e}"
    difference = largest_difference(answers)
    near = difference <= tolerance
    apart = f"|Δp| ≤ {difference:.1e}" if near else f"probabilities differ by up to {difference:.1e} > {tolerance:.0e}"
    return Agreement(tuple(listed), (Rule("classes", not refusing, words), Rule("probabilities", near, apart)))


def largest_difference(answers: dict[str, Probabilities]) -> float:
    """The largest difference of one probability between any two implementations; infinite where one is not finite."""
    stacked = np.stack(list(answers.values()))
    if not np.isfinite(stacked).all():
        return float("inf")
    return float((stacked.max(axis=0) - stacked.min(axis=0)).max(initial=0.0))
