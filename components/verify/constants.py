"""ONNX file + trained layers -> Rule: is every constant the trained weight, through folding and quantisation?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.artifacts.preprocessing import Transform
from components.rounding.forward import fold
from components.rounding.layers import Layer, Pooling, Weighted
from serving.errors import BundleError

if TYPE_CHECKING:
    import onnx

Array = npt.NDArray[Any]
WEIGHTED = ("Conv", "Gemm", "MatMul")
# After a layer with weights: those that change no value but its place or its kind, and those of its activation.
NEUTRAL = ("Cast", "DequantizeLinear", "MaxPool", "QuantizeLinear", "Reshape", "Transpose")
OPERATIONS: dict[str, tuple[str, ...]] = {
    "elu": ("Elu",),
    "gelu": ("Erf", "Mul", "Neg", "Sub"),
    "relu": ("Relu",),
    "sigmoid": ("Sigmoid", "ReduceSum", "Div"),
    "softmax": ("Softmax",),
    "tanh": ("Tanh",),
}
# The quantiser gives weights 7 bits: -64 to 64 steps.
LEVELS = 64


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant of the file, as the operations use it.

    Attributes:
        values: float64, after DequantizeLinear if there is one.
        steps: the value of 1 if the file holds integers, of a shape that broadcasts; None if it holds float32.
    """

    values: Array
    steps: Array | None


@dataclass(frozen=True, eq=False)
class Quantizer:
    """The range of an activation in integers, after the weighted layer with this index; -1: the network's input."""

    layer: int
    low: float
    high: float


class Graph:
    """The operations of an ONNX file in order, and its constants."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Takes a model as `components.export` writes it."""
        from onnx import numpy_helper

        self.nodes = list(model.graph.node)
        dimensions = model.graph.input[0].type.tensor_type.shape.dim[1:]
        self.image_shape = tuple(dimension.dim_value for dimension in dimensions)
        self._stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self._makers = {output: node for node in self.nodes for output in node.output}

    def constant(self, name: str) -> Constant | None:
        """A constant by its name or by that of its dequantised values; None for a value that is calculated."""
        if name in self._stored:
            return Constant(self._stored[name].astype(np.float64), None)
        maker = self._makers.get(name)
        if maker is None or maker.op_type != "DequantizeLinear" or maker.input[0] not in self._stored:
            return None
        integers = self._stored[maker.input[0]].astype(np.float64)
        scale, zero = (self._stored[source].astype(np.float64) for source in maker.input[1:3])
        if scale.ndim:
            axis = next((attribute.i for attribute in maker.attribute if attribute.name == "axis"), 1)
            shape = [-1 if place == axis else 1 for place in range(integers.ndim)]
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return Constant((integers - zero) * scale, scale)

    def with_weights(self, layers: list[Layer]) -> list[Layer]:
        """The layers with this file's weights, as floats; they must have passed `check_constants`."""
        nodes = iter([node for node in self.nodes if node.op_type in WEIGHTED])
        return [layer if isinstance(layer, Pooling) else self._weights(next(nodes), layer) for layer in layers]

    def _weights(self, node: Any, layer: Weighted) -> Weighted:
        kernel, bias = self.constant(node.input[1]), self.bias(node, layer)
        assert kernel is not None
        assert bias is not None
        values = kernel.values if layer.is_dense else kernel.values.transpose(2, 3, 1, 0)
        return replace(layer, kernel=values.astype(np.float32), bias=bias.values.astype(np.float32))

    def bias(self, node: Any, layer: Weighted) -> Constant | None:
        """The bias of an operation; the converter leaves out one that is 0 everywhere."""
        if len(node.input) < 3:
            return Constant(np.zeros(layer.bias.shape), None)
        return self.constant(node.input[2])

    def quantizers(self) -> Iterator[Quantizer]:
        """The ranges of activations, in order."""
        layer = -1
        for node in self.nodes:
            layer += node.op_type in WEIGHTED
            if node.op_type == "QuantizeLinear":
                scale, zero = (float(self._stored[source]) for source in node.input[1:3])
                yield Quantizer(layer, -zero * scale, (255 - zero) * scale)

    def unused_floats(self, used: set[str]) -> list[str]:
        """The names of arrays of floats that are none of those, e.g. of a layer that the model does not have."""
        named = {name for node in self.nodes if node.op_type != "DequantizeLinear" for name in node.input}
        stored = {name: self._stored[name] for name in sorted(named - used) if name in self._stored}
        # Activations such as gelu are converted with single numbers, e.g. the root of 2.
        return [name for name, values in stored.items() if values.dtype.kind == "f" and values.size > 1]


def check_constants(name: str, model: onnx.ModelProto, layers: list[Weighted], transform: Transform) -> RuleResult:
    """The rule that every constant of an ONNX file is the trained weight, to one rounding.

    Args:
        name: of the file, for messages.
        model: the file's content.
        layers: the trained layers with weights, in order.
        transform: the preprocessing, which the first layer's weights may hold.
    """
    graph = Graph(model)
    try:
        used = _check_layers(graph, layers, transform)
        if unknown := graph.unused_floats(used):
            raise BundleError(f"the constant {unknown[0]} is not a weight of the trained model")
        _check_operations(graph, layers)
    except BundleError as error:
        return RuleResult(f"{name} weights", False, f"{name}: {error}: export again")
    count = sum(layer.kernel.size + layer.bias.size for layer in layers)
    return RuleResult(f"{name} weights", True, f"{name} holds the {count:,} trained weights, to one rounding")


def _check_layers(graph: Graph, layers: list[Weighted], transform: Transform) -> set[str]:
    """Compares all constants. Returns: the names of those compared. Raises: BundleError: they differ."""
    nodes = [node for node in graph.nodes if node.op_type in WEIGHTED]
    if len(nodes) != len(layers):
        raise BundleError(f"it has {len(nodes)} layers with weights, the trained model {len(layers)}")
    used: set[str] = set()
    shape, first = _preprocessing(graph, nodes[0], transform, used), layers[0]
    expected = [first if shape is None else fold(first, transform, shape), *layers[1:]]
    for node, layer in zip(nodes, expected, strict=True):
        kernel = layer.kernel if layer.is_dense else layer.kernel.transpose(3, 2, 0, 1)
        _compare(graph.constant(node.input[1]), kernel, f"{layer.name}, kernel")
        _compare(graph.bias(node, layer), layer.bias, f"{layer.name}, bias")
        used.update(node.input[1:])
    return used


def _check_operations(graph: Graph, layers: list[Weighted]) -> None:
    """Refuses a layer with another activation than the trained one. Raises: BundleError.

    In int8, the results of two activations can be nearer to each other than a step.
    """
    place = -1
    for node in graph.nodes:
        place += node.op_type in WEIGHTED
        if place < 0 or node.op_type in (*WEIGHTED, *NEUTRAL):
            continue
        layer = layers[place]
        if node.op_type not in OPERATIONS[layer.activation]:
            raise BundleError(
                f"{layer.name} has the operation {node.op_type}, its trained activation {layer.activation} not"
            )


def _preprocessing(graph: Graph, first: Any, transform: Transform, used: set[str]) -> tuple[int, ...] | None:
    """Compares the constants of the preprocessing. Returns: the shape of an image if the first layer holds them."""
    found = []
    for node in graph.nodes[: graph.nodes.index(first)]:
        if node.op_type in ("Mul", "Add"):
            wanted = transform.scale if node.op_type == "Mul" else transform.offset
            constant = graph.constant(node.input[1])
            by_channel = np.asarray(wanted, np.float32)
            by_pixel = np.broadcast_to(by_channel, by_channel.shape if constant is None else constant.values.shape)
            _compare(constant, by_pixel, f"preprocessing, {node.op_type}")
            found.append(node.op_type)
            used.add(node.input[1])
    if not found:
        return graph.image_shape
    if found != ["Mul", *(["Add"] if any(transform.offset) else [])]:
        raise BundleError(f"its preprocessing is {', '.join(found)}, not a product and a sum")
    return None


def _compare(found: Constant | None, wanted: Array, where: str) -> None:
    """Refuses a constant that is not the trained one. Raises: BundleError."""
    if found is None or found.values.shape != wanted.shape:
        shape = "missing" if found is None else f"of shape {found.values.shape}"
        raise BundleError(f"{where} is {shape}, the trained one has {wanted.shape}")
    exact = wanted.astype(np.float64)
    # The rounding to float32; for integers, half of a step, and the rounding of value and step before that.
    last_place = np.spacing(np.abs(wanted.astype(np.float32))).astype(np.float64)
    allowed = last_place if found.steps is None else found.steps / 2 + 2 * last_place
    if found.steps is not None and wanted.ndim > 1:
        _compare_steps(found.steps, exact, where)
    differs = ~(np.abs(found.values - exact) <= allowed)
    if differs.any():
        place = tuple(int(index) for index in np.argwhere(differs)[0])
        raise BundleError(
            f"{where} {list(place)} is {found.values[place]:.9g}, the trained one {exact[place]:.9g}; "
            f"{int(differs.sum()):,} of {exact.size:,} differ"
        )


def _compare_steps(steps: Array, exact: Array, where: str) -> None:
    """Refuses weights in coarser or finer steps than 7 bits of each output channel need. Raises: BundleError."""
    channel = steps.shape.index(max(steps.shape))
    largest = np.abs(exact).max(axis=tuple(axis for axis in range(exact.ndim) if axis != channel), keepdims=True)
    wrong = np.flatnonzero(np.abs(steps * LEVELS - largest) > 1e-5 * largest)
    # The quantiser gives a channel without weights some step.
    wrong = wrong[largest.ravel()[wrong] > 0]
    if len(wrong):
        raise BundleError(
            f"{where}: the steps of channel {wrong[0]} are {steps.ravel()[wrong[0]]:.9g}, those of 7 bits "
            f"{largest.ravel()[wrong[0]] / LEVELS:.9g}"
        )


def check_saved_model(folder: Path, layers: list[Weighted]) -> RuleResult:
    """The rule that every variable of the bundle's SavedModel is the trained weight, bit for bit."""
    import tensorflow as tf

    name = "SavedModel weights"
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    wanted = [(f"{layer.name}, {part}", getattr(layer, part)) for layer in layers for part in ("kernel", "bias")]
    # Export keeps the weights in this order.
    stored = [key for key in shapes if key.startswith("weights/")]
    if len(stored) != len(wanted):
        text = f"SavedModel has {len(stored)} arrays of weights, the trained model {len(wanted)}: export again"
        return RuleResult(name, False, text)
    for index, (where, values) in enumerate(wanted):
        found = reader.get_tensor(f"weights/{index}/.ATTRIBUTES/VARIABLE_VALUE")
        if not np.array_equal(found, values):
            return RuleResult(name, False, f"SavedModel: {where} is not the trained one: export again")
    return RuleResult(name, True, f"SavedModel holds the {sum(values.size for _, values in wanted):,} trained weights")
