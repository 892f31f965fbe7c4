"""selection: the public `serving.Scorer` loads the version that serves."""

from __future__ import annotations

import numpy as np
import pytest

import serving
from serving.errors import InputError
from serving.scoring.scorer import Scorer
from tests.serving.tiny_bundle import publish, random_images


def test_serving_exports_a_scorer_of_the_promoted_version(registry, sealed):
    publish(registry, sealed, "tiny")
    images = random_images(30)
    for folder in (registry.root / "tiny", str(registry.root / "tiny")):
        found = serving.Scorer.promoted(folder, threads=1).score(images)
        np.testing.assert_array_equal(found.probabilities, Scorer(sealed).score(images).probabilities)
    assert isinstance(serving.Scorer.promoted(registry.root / "tiny"), Scorer)
    with pytest.raises(AttributeError, match="Scorers"):
        serving.Scorers  # noqa: B018


def test_scorer_keeps_the_version_that_it_loaded(registry, sealed, seal):
    publish(registry, sealed, "tiny")
    scorer = serving.Scorer.promoted(registry.root / "tiny")
    publish(registry, seal(seed=1), "tiny", "0002")
    assert scorer.bundle.sha256 == sealed.sha256
    assert serving.Scorer.promoted(registry.root / "tiny").bundle.sha256 != sealed.sha256


def test_model_that_is_not_promoted_is_refused(registry):
    with pytest.raises(InputError, match=r"models/nothing has no promoted version: promote one with"):
        serving.Scorer.promoted(registry.root / "nothing")
