"""Layers + images -> the probabilities of int8 arithmetic, and how far its rounding scatters them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.preprocessing import Transform
from components.rounding.forward import Arithmetic, Array, Forward, ValuePlace
from components.rounding.layers import Layer
from components.rounding.scatter import Rounding
from serving.blocks import Images

# Activations have 8 bits.
ACTIVATION_STEPS = 255
SAMPLES = 6
FACTOR = 2.0
# The probabilities of int8 are too coarse to compare the logarithms of smaller ones.
SMALLEST = 1e-6
# Images that are calculated together.
PART_ROWS = 50

# The lowest and the highest value at each place; 0 is always between.
Ranges = dict[ValuePlace, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Quantization:
    """The expected results of int8 arithmetic for some images.

    Attributes:
        logarithms: float64 (m, classes), of the probabilities; at least that of SMALLEST.
        scatter: the largest difference of a logarithm that rounding to integers made.
    """

    logarithms: npt.NDArray[np.float64]
    scatter: float

    def used(self, probabilities: Array, rounding: Rounding) -> npt.NDArray[np.float64]:
        """The differences of probabilities, (m, classes), from those expected, as fractions of what is allowed.

        `rounding` is that of float32, in which the last layer calculates.
        """
        in_floats = rounding.relative + rounding.floors.max() / np.exp(self.logarithms)
        differences = np.abs(floored_logarithms(probabilities) - self.logarithms)
        fractions: npt.NDArray[np.float64] = differences / (FACTOR * self.scatter + in_floats)
        return np.where(np.isfinite(fractions), fractions, np.inf)


def measure_ranges(layers: list[Layer], transform: Transform, images: Images) -> Ranges:
    """The range of each layer's values over some images, uint8 (n, h, w, c), 0 to 255."""
    ranges: Ranges = {}

    def watch(place: ValuePlace, values: Array) -> Array:
        low, high = ranges.get(place, (0.0, 0.0))
        ranges[place] = min(low, float(values.min())), max(high, float(values.max()))
        return values

    forward = Forward(layers, transform, images.shape[1:])
    for start in range(0, len(images), PART_ROWS):
        forward.run(images[start : start + PART_ROWS], Arithmetic(np.float32, watch=watch))
    return ranges


def measure_quantization(
    layers: list[Layer], transform: Transform | None, ranges: Ranges, images: Images
) -> Quantization:
    """Calculates images, and again with errors of rounding in the activations.

    An activation that is rounded to a step is off by up to half of one, as if at random.

    Args:
        layers: with the weights of int8, as floats.
        transform: the preprocessing; None if the first layer takes the pixels.
        ranges: from `measure_ranges`.
        images: uint8 (n, h, w, c), 0 to 255.
    """
    random = np.random.default_rng(0)
    last = len(layers) - 1

    def limited(place: ValuePlace, values: Array, noise: float) -> Array:
        # The pixels are integers, and the last layer's values stay floats.
        if place == ValuePlace(last) or (place == ValuePlace(-1) and transform is None):
            return values
        low, high = ranges[place]
        errors = noise * _step(ranges[place]) * random.uniform(-0.5, 0.5, values.shape)
        clipped: Array = np.clip(values + errors.astype(values.dtype), low, high)
        return clipped

    forward = Forward(layers, transform, images.shape[1:])

    def logarithms(dtype: type[np.floating[Any]], noise: float) -> npt.NDArray[np.float64]:
        arithmetic = Arithmetic(dtype, watch=lambda place, values: limited(place, values, noise))
        parts = [forward.run(images[at : at + PART_ROWS], arithmetic)[0] for at in range(0, len(images), PART_ROWS)]
        return floored_logarithms(np.concatenate(parts))

    center = logarithms(np.float64, 0.0)
    scatter = max(float(np.abs(logarithms(np.float32, 1.0) - center).max(initial=0.0)) for _ in range(SAMPLES))
    return Quantization(center, scatter)


def floored_logarithms(probabilities: Array) -> npt.NDArray[np.float64]:
    """The logarithms of probabilities, of any shape; those below SMALLEST count as SMALLEST."""
    logarithms: npt.NDArray[np.float64] = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
    return logarithms


def _step(limits: tuple[float, float]) -> float:
    low, high = limits
    return max(high - low, SMALLEST) / ACTIVATION_STEPS
