"""The int8 model of a bundle -> Rules: does it hold the trained weights, and score as they do in int8?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.artifacts.examples import CALIBRATION_ROWS, Examples
from components.artifacts.preprocessing import Transform
from components.rounding.forward import ValuePlace, can_fold
from components.rounding.layers import Layer, Pooling, Weighted
from components.rounding.quantized import Ranges, measure_quantization, measure_ranges
from components.rounding.scatter import Rounding
from components.verify.constants import Graph, check_constants
from components.verify.parity import Answer

if TYPE_CHECKING:
    import onnx

# A range has as many steps: its ends are rounded to one.
TOLERATED_STEPS = 1 / 255
# Test images that are calculated, at most twice as many.
ROWS = 100


def check_int8(
    model: onnx.ModelProto,
    answer: Answer,
    layers: list[Layer],
    transform: Transform,
    examples: Examples,
    rounding: Rounding,
) -> list[RuleResult]:
    """Compares the constants, the ranges of the activations, and the probabilities.

    Args:
        model: the int8 file, parsed.
        answer: its probabilities for all test images.
        layers: the trained layers.
        transform: the preprocessing.
        examples: hold the training images that calibrated the ranges.
        rounding: that of the float32 model.
    """
    weighted = [layer for layer in layers if isinstance(layer, Weighted)]
    weights = check_constants("int8", model, weighted, transform)
    if not weights.passed:
        return [weights]
    graph = Graph(model)
    ranges = measure_ranges(layers, transform, np.concatenate([*examples.sampled_images("train", CALIBRATION_ROWS)]))
    images = examples.all_images("test")
    rows = rounding.rows[:: max(1, len(rounding.rows) // ROWS)]
    before = None if can_fold(weighted[0], transform) else transform
    expected = measure_quantization(graph.with_weights(layers), before, ranges, images[rows])
    used = expected.used(answer.probabilities[rows], rounding)
    return [weights, _range_rule(graph, layers, ranges), _probability_rule(used, rows)]


def _range_rule(graph: Graph, layers: Sequence[Layer], ranges: Ranges) -> RuleResult:
    """The rule that activations have the ranges that they take on the calibration images."""
    # By the index among the weighted layers, -1 for the images: the ranges of the layer's sums, of its values, and of
    # those after its pooling.
    wanted: dict[int, list[tuple[float, float]]] = {-1: [ranges[ValuePlace(-1)]]}
    place = -1
    for index, layer in enumerate(layers):
        place += not isinstance(layer, Pooling)
        found = [ranges[at] for at in (ValuePlace(index), ValuePlace(index, summed=True)) if at in ranges]
        wanted.setdefault(place, []).extend(found)
    for quantizer in graph.quantizers():
        if not any(_is_close(quantizer.low, quantizer.high, *one) for one in wanted[quantizer.layer]):
            low, high = wanted[quantizer.layer][0]
            have = f"the activations after layer {quantizer.layer + 1} have the range "
            have = f"{have}{quantizer.low:.6g} to {quantizer.high:.6g}"
            text = f"int8: {have}, on the training images it is {low:.6g} to {high:.6g}: export again"
            return RuleResult("int8 ranges", False, text)
    return RuleResult("int8 ranges", True, "int8 has the ranges of the activations on the training images")


def _is_close(low: float, high: float, wanted_low: float, wanted_high: float) -> bool:
    tolerated = TOLERATED_STEPS * (wanted_high - wanted_low)
    return abs(low - wanted_low) <= tolerated and abs(high - wanted_high) <= tolerated


def _probability_rule(used: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> RuleResult:
    """The rule that no probability differs by more than the rounding of int8 allows."""
    row, label = np.unravel_index(int(used.argmax()), used.shape)
    where = f"test image {rows[row]}, class {label}"
    worst = float(used.max(initial=0.0))
    if worst > 1:
        text = f"int8: a probability is {worst:.3g} times as far off as its rounding allows ({where}): export again"
        return RuleResult("int8 probabilities", False, text)
    text = f"int8 probabilities: at most {worst:.2f} of what the rounding of int8 allows ({where})"
    return RuleResult("int8 probabilities", True, text)
