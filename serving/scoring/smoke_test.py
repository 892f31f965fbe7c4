"""Bundle -> an error, or nothing: does the model return its stored probabilities on this machine?"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.bundle.bundle import SAMPLE_ALLOWED, SAMPLE_IMAGES, SAMPLE_PROBABILITIES, Bundle
from serving.errors import BeamlineError, BundleError
from serving.scoring.agreement import used_fraction
from serving.scoring.scorer import Scorer

# Allowed for bundles of earlier releases, which do not say how far rounding can change their probabilities.
EARLIER_TOLERANCE = 1e-3


def run_smoke_test(bundle: Bundle) -> None:
    """Loads a bundle and scores its sample before it may serve: some test images and the trained model's answers.

    Raises: BundleError: the sample is missing, the bundle cannot be loaded, or the probabilities differ.
    """
    for name in (SAMPLE_IMAGES, SAMPLE_PROBABILITIES):
        if name not in bundle.files:
            raise _refusal(bundle, f"it has no {name} for the smoke test: export it again")
    try:
        images, expected = _load(bundle, SAMPLE_IMAGES), _load(bundle, SAMPLE_PROBABILITIES)
        stored = _load(bundle, SAMPLE_ALLOWED) if SAMPLE_ALLOWED in bundle.files else None
        found = Scorer(bundle).score(images).probabilities
    except BundleError:
        raise
    except (BeamlineError, ValueError, EOFError) as error:
        raise _refusal(bundle, f"it cannot score its sample ({error}): export it again") from error
    if not len(expected):
        raise _refusal(bundle, "its sample has no images for the smoke test: export it again")
    for what, array in (("probabilities", expected), ("limits", expected if stored is None else stored)):
        if found.shape != array.shape:
            shapes = f"its sample has {what} {array.shape}, the model returns {found.shape}"
            raise _refusal(bundle, f"{shapes}: export it again")
    allowed = np.broadcast_to(np.float32(EARLIER_TOLERANCE) if stored is None else stored, expected.shape)
    used = used_fraction(found, expected, allowed)
    if not used.max() <= 1:
        image, label = np.unravel_index(int(used.argmax()), used.shape)
        raise _refusal(
            bundle,
            f"on this machine, its probability of class {label} for image {image} of the sample is "
            f"{found[image, label]:.9g}, stored is {expected[image, label]:.9g}, and rounding allows a difference of "
            f"{allowed[image, label]:.1e}: do not serve it here; export it again",
        )


def _load(bundle: Bundle, name: str) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(io.BytesIO(bundle.read(name)), allow_pickle=False)
    return array


def _refusal(bundle: Bundle, reason: str) -> BundleError:
    return BundleError(f"bundle {bundle.path} refused: {reason}")
