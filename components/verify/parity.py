"""Probabilities of several backends of one model -> Rules: do they agree?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ParityCheck:
    """The result of the parity check.

    Attributes:
        disagreements: a sentence for every row with different predicted classes, with its margin: the largest gap
            between the top two probabilities among the backends.
        rules: the rule of the classes, and the rule of the probabilities.
    """

    disagreements: tuple[str, ...]
    rules: tuple[RuleResult, RuleResult]


def check_parity(by_backend: dict[str, Probabilities], margin: float, tolerance: float) -> ParityCheck:
    """Compares the probabilities, float32 (n, classes), of several backends for the same images, by the backend's name.

    The bundle is refused if backends predict different classes for an image and the margin is at least `margin`, or if
    a probability differs by more than `tolerance`.
    """
    classes = np.stack([probabilities.argmax(axis=1) for probabilities in by_backend.values()])
    top_two = np.stack([np.sort(probabilities, axis=1)[:, -2:] for probabilities in by_backend.values()])
    margins = (top_two[:, :, 1] - top_two[:, :, 0]).max(axis=0)
    listed, refusing = [], []
    for row in np.flatnonzero((classes != classes[0]).any(axis=0)).tolist():
        predicted = zip(by_backend, classes[:, row].tolist(), strict=True)
        text = ", ".join(f"{name} {label}" for name, label in predicted)
        listed.append(f"test image {row}: {text}; margin {margins[row]:.1e}")
        if margins[row] >= margin:
            refusing.append(listed[-1])
    rows = classes.shape[1]
    names = " and ".join(", ".join(by_backend).rsplit(", ", 1))
    agreement = f"{names} agree on {rows - len(listed):,} of {rows:,} test images"
    if refusing:
        agreement = f"{len(refusing)} disagreements with a margin ≥ {margin:.0e}, first: {refusing[0]}"
    elif listed:
        agreement = f"{agreement}, the others with a margin < {margin:.0e}"
    difference = largest_difference(by_backend)
    close = difference <= tolerance
    distance = (
        f"|Δp| ≤ {difference:.1e}" if close else f"probabilities differ by up to {difference:.1e} > {tolerance:.0e}"
    )
    rules = (RuleResult("classes", not refusing, agreement), RuleResult("probabilities", close, distance))
    return ParityCheck(tuple(listed), rules)


def largest_difference(by_backend: dict[str, Probabilities]) -> float:
    """The largest difference of one probability between any two backends; infinite if one is not finite."""
    stacked = np.stack(list(by_backend.values()))
    if not np.isfinite(stacked).all():
        return float("inf")
    return float((stacked.max(axis=0) - stacked.min(axis=0)).max(initial=0.0))
