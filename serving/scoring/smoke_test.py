"""Bundle -> an error, or nothing: does the model return its stored probabilities on this machine?"""

from __future__ import annotations

import io

import numpy as np

from serving.bundle.bundle import SAMPLE_IMAGES, SAMPLE_PROBABILITIES, Bundle
from serving.errors import BeamlineError, BundleError
from serving.scoring.scorer import Scorer

# Processors and thread counts change probabilities by far less; a larger difference means another model.
MAX_TOLERANCE = 1e-3


def run_smoke_test(bundle: Bundle) -> None:
    """Loads a bundle and scores its sample before it may serve: some test images and the trained model's answers.

    Raises: BundleError: the sample is missing, the bundle cannot be loaded, or the probabilities differ.
    """
    for name in (SAMPLE_IMAGES, SAMPLE_PROBABILITIES):
        if name not in bundle.files:
            raise _refusal(bundle, f"it has no {name} for the smoke test: export it again")
    try:
        images, expected = (
            np.load(io.BytesIO(bundle.read(name)), allow_pickle=False) for name in (SAMPLE_IMAGES, SAMPLE_PROBABILITIES)
        )
        found = Scorer(bundle).score(images).probabilities
    except BundleError:
        raise
    except (BeamlineError, ValueError, EOFError) as error:
        raise _refusal(bundle, f"it cannot score its sample ({error}): export it again") from error
    if not len(expected):
        raise _refusal(bundle, "its sample has no images for the smoke test: export it again")
    if found.shape != expected.shape:
        shapes = f"its sample has probabilities {expected.shape}, the model returns {found.shape}"
        raise _refusal(bundle, f"{shapes}: export it again")
    difference = float(np.abs(found - expected).max(initial=0.0))
    if not difference <= MAX_TOLERANCE:
        raise _refusal(
            bundle,
            "on this machine, its probabilities for the sample differ from the stored ones by up to "
            f"{difference:.1e} (allowed {MAX_TOLERANCE:.0e}): do not serve it here; export it again",
        )


def _refusal(bundle: Bundle, reason: str) -> BundleError:
    return BundleError(f"bundle {bundle.path} refused: {reason}")
