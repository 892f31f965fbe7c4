"""Bundle -> a refusal, or nothing: does it answer here as it answered when it was sealed?"""

from __future__ import annotations

import io

import numpy as np

from serving.bundle import SAMPLE_IMAGES, SAMPLE_PROBABILITIES, Bundle
from serving.errors import BeamlineError, BundleError
from serving.scorer import Scorer

# Probabilities that differ by more are of another model; processors and thread counts differ by far less.
LOOSEST = 1e-3


def require_answers(bundle: Bundle) -> None:
    """Loads a bundle and scores the images that it holds, before it may serve.

    Args:
        bundle: its stored sample is what the trained model said of a few test images.

    Raises:
        BundleError: it holds no sample, cannot be loaded, or answers differently.
    """
    for name in (SAMPLE_IMAGES, SAMPLE_PROBABILITIES):
        if name not in bundle.files:
            raise _refusal(bundle, f"it holds no {name}, so that nobody can try it: export it again")
    try:
        images, expected = (
            np.load(io.BytesIO(bundle.read(name)), allow_pickle=False) for name in (SAMPLE_IMAGES, SAMPLE_PROBABILITIES)
        )
        found = Scorer(bundle).score(images).probabilities
    except BundleError:
        raise
    except (BeamlineError, ValueError, EOFError) as error:
        raise _refusal(bundle, f"it cannot score its sample: {error}") from error
    if not len(expected):
        raise _refusal(bundle, "its sample holds no image, so that nobody can try it: export it again")
    if found.shape != expected.shape:
        raise _refusal(bundle, f"its sample holds answers {expected.shape}, it gives {found.shape}")
    difference = float(np.abs(found - expected).max(initial=0.0))
    if not difference <= LOOSEST:
        raise _refusal(bundle, f"its stored sample is answered differently here, by up to {difference:.1e}")


def _refusal(bundle: Bundle, why: str) -> BundleError:
    return BundleError(f"bundle {bundle.path} refused: {why}")
