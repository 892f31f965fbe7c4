"""Images + recipe -> the preset that suits them better, if another one does."""

from __future__ import annotations

from collections.abc import Sequence

from components.train import Params

# 1,650 photographs of hands in ten classes, test accuracy with 32×32, 64×64 and 128×128 pixels: mlp-128-128 0.40, 0.39
# and 0.50, cnn 0.75, 0.75 and 0.81.
PICTURE_PIXELS = 32 * 32
SUITABLE = "cnn"


def preset_advice(image_shape: Sequence[int], recipe: Params) -> str | None:
    """A sentence for people who train a dense network on coloured pictures; None for all others.

    Args:
        image_shape: (height, width, channels).
        recipe: of the run.
    """
    height, width, channels = image_shape
    if recipe.convolutions or channels != 3 or height * width < PICTURE_PIXELS:
        return None
    return (
        f"NOTICE: {recipe.preset} has dense layers only. For coloured pictures of {width}×{height} pixels, a network "
        f"with convolutions usually reaches a higher accuracy: try --preset {SUITABLE}"
    )
