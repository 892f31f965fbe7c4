"""Serving function -> ONNX: the same operations with the same names, the same bytes for the same weights."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from components.export.folding import fold

if TYPE_CHECKING:
    import onnx
    import tensorflow as tf

# Supported by onnxruntime and Triton for years, and by every operation of these networks.
OPSET = 17
BATCH = "n"


def convert(module: tf.Module, properties: dict[str, str]) -> onnx.ModelProto:
    """Converts the function `serve` of `serving_module`; input and output keep its names, the batch dimension is free.

    The file's metadata_props are these properties and the weights' digest.
    """
    import onnx
    import tf2onnx

    converted, _ = tf2onnx.convert.from_function(
        module.serve,
        module.serve.input_signature,
        opset=OPSET,
        custom_op_handlers={"Erfc": (_convert_complementary_error_function, [])},
    )
    fold(converted)
    canonicalize(converted)
    onnx.helper.set_model_props(converted, {**properties, "weights_sha256": weights_sha256(converted)})
    onnx.checker.check_model(converted, full_check=True)
    return converted


def _convert_complementary_error_function(graph: Any, node: Any, name: str, _: list[Any]) -> None:
    """Erfc(x) = 1 - Erf(x): TensorFlow's gelu needs it, ONNX has no operation for it."""
    shapes, types = node.output_shapes, node.output_dtypes
    error_function = graph.make_node("Erf", node.input, shapes=shapes, dtypes=types)
    one = graph.make_const(f"{name}_one", np.ones((), np.float32))
    graph.remove_node(name)
    graph.make_node(
        "Sub", [*one.output, *error_function.output], name=name, outputs=node.output, shapes=shapes, dtypes=types
    )


def weights_sha256(model: onnx.ModelProto) -> str:
    """The digest of all constants of the graph, in its order."""
    digest = hashlib.sha256()
    for tensor in model.graph.initializer:
        digest.update(tensor.SerializeToString(deterministic=True))
    return digest.hexdigest()


def canonicalize(model: Any) -> None:
    """Removes, in place, what depends on the process, and what the graph's output does not need.

    tf2onnx numbers names over the life of the process and orders nodes by these names. If it finds a constant twice,
    it keeps one of the names at random. Here, constants are named by their position.
    """
    graph = model.graph
    nodes = _in_order_of_need(graph)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name: place for place, name in enumerate(dict.fromkeys(name for node in nodes for name in node.input))}
    needed = [tensor for tensor in graph.initializer if tensor.name in used]
    constants = sorted(needed, key=lambda tensor: used[tensor.name])
    del graph.initializer[:]
    graph.initializer.extend(constants)
    del graph.value_info[:]
    graph.name = "classifier"
    graph.doc_string = ""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH
    _renumber(graph)


def _in_order_of_need(graph: Any) -> list[Any]:
    """The nodes, each after those that it depends on, in the order in which the graph's output needs them."""
    maker = {output: node for node in graph.node for output in node.output}
    ordered: dict[int, Any] = {}

    def need(name: str) -> None:
        node = maker.get(name)
        if node is None or id(node) in ordered:
            return
        for source in node.input:
            need(source)
        ordered[id(node)] = node

    for output in graph.output:
        need(output.name)
    return [_copied(node) for node in ordered.values()]


def _copied(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy


def _renumber(graph: Any) -> None:
    """Replaces numbers of the process in names, e.g. `__19`, by their order; names of constants by their position."""
    numbers: dict[str, str] = {}
    constants = {tensor.name: f"constant_{place}" for place, tensor in enumerate(graph.initializer)}

    def renamed(name: str) -> str:
        if name in constants:
            return constants[name]
        return re.sub(r"__\d+", lambda found: numbers.setdefault(found[0], f"__{len(numbers)}"), name)

    for node in graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
        node.name = renamed(node.name)
    for tensor in graph.initializer:
        tensor.name = renamed(tensor.name)
