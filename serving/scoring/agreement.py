"""Probabilities of one model, calculated twice -> how much of the allowed difference they use."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def used_fraction(found: npt.NDArray[Any], expected: npt.NDArray[Any], allowed: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The difference of each probability as a fraction of what is allowed: more than 1 means another model.

    Args:
        found: (n, classes), 0 to 1.
        expected: the same, of the model as it was trained.
        allowed: the largest difference for each of them, above 0.

    Returns: float64 (n, classes), 0 or more; infinite where a value is not finite.
    """
    with np.errstate(invalid="ignore"):
        fractions = np.abs(found.astype(np.float64) - expected) / allowed
    return np.where(np.isfinite(fractions), fractions, np.inf)
