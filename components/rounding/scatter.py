"""Layers + images -> the exact probabilities, and how far float32 results may be from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from components.artifacts.preprocessing import Transform
from components.rounding.forward import Arithmetic, Array, Forward, Product
from components.rounding.layers import Layer
from serving.blocks import Images

# Products that the exact calculation adds up: those of MNIST's test set with the default preset.
EXACT_PRODUCTS = 5 << 28
# Products of one other order of the additions, and images at most.
SCATTER_PRODUCTS = 1 << 28
MAX_SCATTER_ROWS = 2000
# numpy takes 20 times as long to add products one after the other.
ONE_BY_ONE_PRODUCTS = 1 << 26
# Matrix libraries themselves add this many products one after the other, or almost.
SHORT_SUM = 512
# Products that are calculated together.
PART_PRODUCTS = 1 << 25
# Images at least, however large: of 3 images the largest error can be less than half of that of 100.
MIN_ROWS = 16
# Random orders of the additions, for each way to calculate the first layer.
PERMUTATIONS = 3
# Backends calculate other images, and in another order, than those that were tried.
FACTOR = 2.0
# Libraries approximate functions: with a relative error for an exponential, an absolute one where results are 0 to 1.
APPROXIMATION = 4 * 2.0**-24
SMALLEST = 1e-30
# Inputs of one sum in memory at once.
CHUNK = 1 << 10


@dataclass(frozen=True, eq=False)
class Rounding:
    """The exact probabilities of some images, and how far float32 may be from them.

    Attributes:
        rows: int64 (m,), the images that were calculated, evenly spread.
        exact: float64 (m, classes), their probabilities.
        relative: the allowed difference as a fraction of a probability.
        floors: float64 (m,), the allowed difference of a probability near 0.
    """

    rows: npt.NDArray[np.int64]
    exact: npt.NDArray[np.float64]
    relative: float
    floors: npt.NDArray[np.float64]

    @property
    def allowed(self) -> npt.NDArray[np.float64]:
        """float64 (m, classes): the largest difference of each probability."""
        limits: npt.NDArray[np.float64] = self.relative * self.exact + self.floors[:, None]
        return limits

    def coarse(self) -> Rounding:
        """The same with the fraction rounded up to a power of two: its last bits depend on the processor."""
        return replace(self, relative=2.0 ** math.ceil(math.log2(self.relative)))


def measure_rounding(layers: list[Layer], transform: Transform, images: Images) -> Rounding:
    """Calculates images exactly, and in several orders of the additions in float32.

    The bound that holds for every order is 10,000 times larger than what occurs (Higham and Mary 2019), so orders are
    sampled, as stochastic arithmetic does (Vignes 1993). Each is that of an equivalent network: the inputs of its sums
    are permuted, or added one after the other, as matrix libraries do for a single image.

    An error of a score changes all probabilities by about the same ratio, whether they are 0.9 or 1e-9. So one
    fraction suits all images and classes.

    Args:
        layers: from `layers_of`.
        transform: the preprocessing.
        images: uint8 (n, h, w, c), 0 to 255; one or more.
    """
    forward = Forward(layers, transform, images.shape[1:])
    rows = _spread(len(images), EXACT_PRODUCTS // forward.products)
    step = max(1, PART_PRODUCTS // forward.products)
    exact, sums = (
        np.concatenate(part)
        for part in zip(*(forward.run(images[rows[at : at + step]]) for at in range(0, len(rows), step)), strict=True)
    )
    # Sigmoids are divided by their sum, and with them their error.
    floors = SMALLEST + (APPROXIMATION / sums if forward.ends_in_sigmoid else np.zeros(len(rows)))
    # If the model is certain of every image, all orders give 1; a library may still give the number below 1.
    largest = APPROXIMATION
    for arithmetic, products in _arithmetics():
        tried = _spread(len(rows), min(MAX_SCATTER_ROWS, products // forward.products))
        found, _ = forward.run(images[rows[tried]], arithmetic)
        differences = np.maximum(np.abs(found - exact[tried]) - floors[tried, None], 0)
        largest = max(largest, float((differences / np.maximum(exact[tried], SMALLEST)).max(initial=0.0)))
    return Rounding(rows, exact, FACTOR * largest, FACTOR * floors)


def _spread(rows: int, most: int) -> npt.NDArray[np.int64]:
    """Up to `most` of the rows, and at least MIN_ROWS of them, evenly spread."""
    count = min(rows, max(MIN_ROWS, most))
    return np.arange(count) * rows // count


def _arithmetics() -> Iterator[tuple[Arithmetic, int]]:
    """Each arithmetic, and the number of products to try it on."""
    random = np.random.default_rng(0)

    def errors(values: Array) -> Array:
        found: Array = APPROXIMATION * random.uniform(-1, 1, values.shape)
        return found.astype(values.dtype)

    def relative_error(values: Array) -> Array:
        changed: Array = values + values * errors(values)
        return changed

    def absolute_error(values: Array) -> Array:
        return values + errors(values)

    for folded in (False, True):
        orders: list[tuple[Product, int]] = [(np.matmul, SCATTER_PRODUCTS), (_one_by_one, ONE_BY_ONE_PRODUCTS)]
        orders += [(_permuted(random), SCATTER_PRODUCTS) for _ in range(PERMUTATIONS)]
        for product, products in orders:
            yield Arithmetic(np.float32, product, folded, relative_error, absolute_error), products


def _permuted(random: np.random.Generator) -> Product:
    """Adds the products up in a random order."""

    def product(values: Array, kernel: Array) -> Array:
        order = random.permutation(len(kernel))
        sums: Array = np.matmul(values[:, order], kernel[order])
        return sums

    return product


def _one_by_one(values: Array, kernel: Array) -> Array:
    """Adds each product to the sum of those before it; many short sums are left to the matrix library."""
    if len(kernel) <= SHORT_SUM and len(values) * kernel.size > ONE_BY_ONE_PRODUCTS:
        quick: Array = np.matmul(values, kernel)
        return quick
    sums = np.zeros((len(values), kernel.shape[1]), kernel.dtype)
    if len(values) > len(kernel):
        for given, weights in zip(values.T, kernel, strict=True):
            sums += given[:, None] * weights
        return sums
    for start in range(0, len(kernel), CHUNK):
        part = kernel[start : start + CHUNK]
        for row, given in enumerate(values[:, start : start + CHUNK]):
            # A reduction over the first axis adds whole rows, one after the other; a single column, in pairs.
            sums[row] = np.add.reduce(np.vstack([sums[row], given[:, None] * part]), axis=0)
    return sums
