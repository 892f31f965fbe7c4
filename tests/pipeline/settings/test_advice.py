"""advice: people who train a dense network on coloured pictures read of the preset with convolutions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.settings.advice import SUITABLE, preset_advice
from pipeline.settings.presets import DEFAULT, PRESETS


@pytest.mark.parametrize("shape", [(32, 32, 3), (16, 64, 3), (224, 224, 3)])
def test_dense_network_for_pictures_is_advised_against(shape):
    advice = preset_advice(shape, PRESETS[DEFAULT])
    assert advice.startswith("NOTICE: mlp-128-128 has dense layers only.")
    assert f"pictures of {shape[1]}×{shape[0]} pixels" in advice
    assert advice.endswith("try --preset cnn")


@pytest.mark.parametrize("shape", [(31, 33, 3), (28, 28, 1), (224, 224, 1), (8, 8, 3)])
def test_other_images_need_no_advice(shape):
    assert preset_advice(shape, PRESETS[DEFAULT]) is None


def test_network_with_convolutions_needs_no_advice():
    assert PRESETS[SUITABLE].convolutions
    assert preset_advice((224, 224, 3), PRESETS[SUITABLE]) is None
    assert preset_advice((224, 224, 3), replace(PRESETS[DEFAULT], convolutions=(8,))) is None
