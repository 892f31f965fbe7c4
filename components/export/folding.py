"""ONNX graph -> the same function in fewer operations: constant arithmetic is done once, not for every image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def fold(model: Any) -> None:
    """Merges each product with its bias into one Gemm, and the preprocessing into the first layer; in place.

    The model is a classifier, as tf2onnx converts it; its input and output do not change.
    """
    from serving.scoring.network import runtime

    runtime()
    from onnxruntime.quantization.onnx_model import ONNXModel

    graph = ONNXModel(model)
    _fuse_biases(graph)
    _fold_preprocessing(graph)


def _fuse_biases(graph: Any) -> None:
    """Replaces each product and its bias by one Gemm on flat rows; onnxruntime has an integer version of Gemm."""
    from onnx import helper

    makers, takers = graph.output_name_to_node(), graph.input_name_to_nodes()
    for product in [node for node in graph.nodes() if node.op_type == "MatMul"]:
        rows, columns = graph.get_initializer(product.input[1]).dims
        addition = takers[product.output[0]][0]
        if addition.op_type == "Add" and graph.get_initializer(addition.input[1]) is not None:
            bias, output = addition.input[1], addition.output[0]
            graph.remove_node(addition)
        else:
            # The converter omits a bias of 0.
            bias, output = _added(graph, f"{product.input[1]}_bias", np.zeros(columns, np.float32)), product.output[0]
        flatten = makers[product.input[0]]
        if flatten.op_type == "Reshape":
            # The converter takes the number of images from the images, which would then be needed as floats, too.
            flatten.input[1] = _added(graph, f"{product.input[1]}_rows", np.array([-1, rows]))
        inputs = [*product.input, bias]
        product.CopyFrom(helper.make_node("Gemm", inputs, [output], name=product.name))


def _fold_preprocessing(graph: Any) -> None:
    """Moves the preprocessing into the first layer's weights, so that this layer takes the pixels directly.

    (x · scale + offset) · W + b = x · (scale · W) + (offset · W + b). This is impossible for a convolution with an
    offset: it pads with zeros after the preprocessing, and no pixel value gives these zeros.
    """
    takers = graph.input_name_to_nodes()
    (cast,) = takers["images"]
    (scaled,) = takers[cast.output[0]]
    (after,) = takers[scaled.output[0]]
    image_shape = [size.dim_value for size in graph.graph().input[0].type.tensor_type.shape.dim[1:]]
    done = [cast, scaled, after] if after.op_type == "Add" else [cast, scaled]
    scale = np.broadcast_to(_constant(graph, scaled.input[1]), image_shape)
    offset = np.broadcast_to(_constant(graph, after.input[1]) if after in done else 0.0, image_shape)
    first = next(node for node in graph.nodes() if node.op_type in ("Conv", "Gemm"))
    weights = _constant(graph, first.input[1])
    if first.op_type == "Gemm":
        bias = _constant(graph, first.input[2]) + offset.ravel() @ weights
        first.input[2] = _added(graph, "first_bias", bias.astype(np.float32))
        weights = scale.reshape(-1, 1) * weights
    elif offset.any():
        return
    else:
        weights = scale[0, 0].reshape(-1, 1, 1) * weights
    first.input[1] = _added(graph, "first_weights", weights.astype(np.float32))
    graph.replace_input_of_all_nodes(done[-1].output[0], cast.output[0])
    graph.remove_nodes(done[1:])


def _constant(graph: Any, name: str) -> Array:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(graph.get_initializer(name)), np.float64)


def _added(graph: Any, name: str, value: Array) -> str:
    """Adds a constant. Returns: its name."""
    from onnx import numpy_helper

    graph.add_initializer(numpy_helper.from_array(value, name))
    return name
