"""Pictures for the tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.serving.batch.inputs.encoded_files import (
    CHANNELS,
    GREY_ALPHA,
    RGB_ALPHA,
)

SHAPE = (3, 5, 1)


COLOURED = (3, 5, 3)


RANDOM = np.random.default_rng(11)


COLOURS = RANDOM.integers(0, 256, (3, 5, 3), np.uint8)


GREYS = COLOURS[..., :1]


def samples(colour, depth=8, opaque=True):
    drawn = RANDOM.integers(0, 1 << depth, (3, 5, CHANNELS[colour]))
    if opaque and colour in (GREY_ALPHA, RGB_ALPHA):
        drawn[..., -1] = (1 << depth) - 1
    return drawn


def jpeg(array, mode=None, kind="JPEG", **options):
    file = io.BytesIO()
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(file, kind, **options)
    return file.getvalue()


def grey_palette(entries):
    return np.repeat(np.linspace(0, 255, entries).astype(np.uint8)[:, None], 3, axis=1)
