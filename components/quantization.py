"""Float ONNX model + calibration images -> int8 ONNX model: integers from the pixels to the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from components.onnx_graph import canonicalize
from serving.errors import BeamlineError
from serving.inputs.blocks import Images
from serving.network import runtime

if TYPE_CHECKING:
    import onnx

# What is done in integers. All else stays in floats, softmax above all: its probabilities would come in 256 steps.
INTEGER = ("Conv", "Gemm", "MaxPool", "Relu", "Reshape", "Transpose")
# Images that are looked at at once; what lies between the layers is larger than they are.
BATCH_ROWS = 100

Array = npt.NDArray[Any]


def quantize(model: onnx.ModelProto, images: Images) -> onnx.ModelProto:
    """Quantises a classifier with onnxruntime's own static quantiser: weights to 7 bits, activations to 8.

    Weights have a scale for each output channel, activations the range that they take on some images. The first
    layer takes the pixels as the integers that they are.

    Args:
        model: from `components.onnx_graph.convert`; it is not changed.
        images: uint8 (n, h, w, c), 0 to 255, n at least 1, of the training split.

    Returns:
        The same input and output; the same bytes for the same model and images.

    Raises:
        BeamlineError: what lies between the layers is not finite.
    """
    import onnx

    runtime()
    from onnxruntime.quantization.onnx_model import ONNXModel

    # What was constant keeps its name and is calculated now: it must not be called as the new constants will be.
    others = dict.fromkeys(("rename_nodes", "rename_edges", "rename_inputs", "rename_outputs"), False)
    graph = ONNXModel(onnx.compose.add_prefix(model, "float_", **others))
    pixels = _take_pixels(graph)
    ranges = _ranges(graph.model, images)
    if pixels is not None:
        ranges[pixels] = (np.float32(0), np.float32(255))
    quantized = ONNXModel(_in_integers(graph.model, ranges))
    _drop_needless_pairs(quantized, pixels)
    canonicalize(quantized.model)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(quantized.model, {**properties, "precision": "int8"})
    onnx.checker.check_model(quantized.model, full_check=True)
    return quantized.model


def _take_pixels(graph: Any) -> str | None:
    """Lets the first layer take the pixels themselves, where nothing is left of the preprocessing before it.

    Returns:
        The name of the pixels as the first layer takes them, float32, 0 to 255; None where something is left.
    """
    from onnx import TensorProto

    (cast,) = graph.input_name_to_nodes()["images"]
    if any(taker.op_type in ("Mul", "Add") for taker in graph.input_name_to_nodes()[cast.output[0]]):
        return None
    first = next(node for node in graph.nodes() if node.op_type in ("Conv", "Gemm"))
    graph.replace_input_of_all_nodes(cast.output[0], "images")
    graph.remove_node(cast)
    graph.graph().input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    return str(first.input[0])


def _ranges(model: onnx.ModelProto, images: Images) -> dict[str, tuple[np.float32, np.float32]]:
    """The lowest and the highest value of everything that lies between the operations, by name."""
    import onnx
    from onnx import TensorProto, helper

    watched = onnx.shape_inference.infer_shapes(model)
    values = [value for value in watched.graph.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT]
    names = [value.name for value in values]
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    # One thread and nothing rewritten, so that the last bits do not depend on this machine's processors.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    pixels = np.float32 if session.get_inputs()[0].type == "tensor(float)" else np.uint8
    found = []
    for start in range(0, len(images), BATCH_ROWS):
        given = images[start : start + BATCH_ROWS].astype(pixels)
        found.append([(value.min(), value.max()) for value in session.run(names, {"images": given})])
    lowest, highest = np.min(found, axis=0)[:, 0], np.max(found, axis=0)[:, 1]
    for name, low, high in zip(names, lowest, highest, strict=True):
        if not np.isfinite([low, high]).all():
            raise BeamlineError(f"{name} reaches {low} to {high} on training images: train with a lower learning rate")
    return dict(zip(names, zip(lowest, highest, strict=True), strict=True))


def _in_integers(model: onnx.ModelProto, ranges: dict[str, tuple[np.float32, np.float32]]) -> onnx.ModelProto:
    """The model with QuantizeLinear and DequantizeLinear around what onnxruntime then does in integers."""
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import TensorData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    return QDQQuantizer(
        model,
        per_channel=True,
        # To ±64: a processor with AVX2 and no VNNI adds two products up in 16 bits, and 2 · 255 · 64 is all they hold.
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range={name: TensorData(lowest=low, highest=high) for name, (low, high) in ranges.items()},
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=INTEGER,
        extra_options={},
    ).quantize_model()


def _drop_needless_pairs(graph: Any, pixels: str | None) -> None:
    """Takes QuantizeLinear off the pixels, and off what a Gemm gives to an operation in floats, as the scores are."""
    from onnx import TensorProto

    makers, takers = graph.output_name_to_node(), graph.input_name_to_nodes()
    for back in [node for node in graph.nodes() if node.op_type == "DequantizeLinear" and node.input[0] in makers]:
        there = makers[back.input[0]]
        if there.input[0] == pixels:
            graph.replace_input_of_all_nodes(there.output[0], pixels)
            graph.graph().input[0].type.tensor_type.elem_type = TensorProto.UINT8
        elif makers[there.input[0]].op_type == "Gemm" and not any(
            taker.op_type in INTEGER for taker in takers[back.output[0]]
        ):
            graph.replace_input_of_all_nodes(back.output[0], there.input[0])
