"""Channels of a picture -> channels of the model: opacity and colours are never lost silently."""

from __future__ import annotations

import numpy as np

from serving.batch.decoding.background import lay_on
from serving.batch.decoding.picture_error import COLOURED, OTHER_PIXELS, TRANSPARENT, PictureError
from serving.blocks import Colour, Images

# 1 grey, 2 grey and opacity, 3 colours, 4 colours and opacity.
MAX_CHANNELS = 4


def require_channels(channels: int) -> None:
    """Refuses a model whose input has this number of channels. Raises: PictureError."""
    if not 1 <= channels <= MAX_CHANNELS:
        fact = f"has 1 to {MAX_CHANNELS} channels, the model takes {channels}"
        raise PictureError(OTHER_PIXELS, fact, "save the images as an array")


def drop_channels(pixels: Images, channels: int, background: Colour | None) -> Images:
    """Removes the opacity and the colours that the model does not take.

    Args:
        pixels: uint8 (h, w, 1 to 4), the last of 2 or 4 channels is the opacity.
        channels: of the model's input, 1 to 4.
        background: what transparent pixels are laid on if the model takes no opacity; None refuses them.

    Returns: uint8 (h, w, c), c at most `channels`.

    Raises: PictureError: a pixel is transparent, or has a colour, and the model takes none.
    """
    if channels in (1, 3) and pixels.shape[2] in (2, 4):
        pixels = _without_opacity(pixels, background)
    return grey(pixels) if channels < 3 else pixels


def add_channels(pixels: Images, channels: int) -> Images:
    """Repeats grey as three channels, and adds the opacity of opaque pixels.

    Args:
        pixels: uint8 (h, w, c), a result of `drop_channels`.
        channels: of the model's input, 1 to 4.

    Returns: uint8 (h, w, channels).
    """
    present = pixels.shape[2]
    if present == channels:
        return pixels
    colours = pixels if present in (1, 3) else pixels[..., :-1]
    parts = [np.repeat(colours, 3, axis=2) if channels >= 3 > present else colours]
    if channels in (2, 4):
        opaque = present in (1, 3)
        parts.append(np.full((*pixels.shape[:2], 1), 255, np.uint8) if opaque else pixels[..., -1:])
    return np.concatenate(parts, axis=2)


def grey(pixels: Images) -> Images:
    """One channel instead of three equal ones, uint8 (h, w, 1 or 2). Raises: PictureError: they differ."""
    if pixels.shape[2] < 3:
        return pixels
    if (pixels[..., :3] != pixels[..., :1]).any():
        raise PictureError(COLOURED, "has colours, the model takes grey", 'convert it with Pillow\'s .convert("L")')
    return pixels[..., [0]] if pixels.shape[2] == 3 else pixels[..., [0, 3]]


def _without_opacity(pixels: Images, background: Colour | None) -> Images:
    colours, opacity = pixels[..., :-1], pixels[..., -1:]
    if opacity.min() == 255:
        return colours
    if background is None:
        advice = "save it on a background, or train a model with --ingest.background, which lays it on a colour"
        raise PictureError(TRANSPARENT, "has transparent pixels", advice)
    return lay_on(colours, opacity, background)
