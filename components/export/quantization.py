"""Float ONNX model + calibration images -> ONNX model that computes its layers in int8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from components.export.onnx_graph import canonicalize
from serving.blocks import Images
from serving.errors import BeamlineError
from serving.scoring.network import runtime

if TYPE_CHECKING:
    import onnx

# Operations in integers. All others stay in floats, e.g. softmax, whose probabilities would have 256 steps only.
INTEGER = ("Conv", "Gemm", "MaxPool", "Relu", "Reshape", "Transpose")
# Images that are run at once: activations are larger than images.
BATCH_ROWS = 100

Array = npt.NDArray[Any]


def quantize(model: onnx.ModelProto, images: Images) -> onnx.ModelProto:
    """Quantises a classifier with onnxruntime's own static quantiser: weights to 7 bits, activations to 8.

    Weights have a scale for each output channel; activations have the range that they take on the images. If no
    preprocessing is left before it, the first layer takes the uint8 pixels directly. Input and output keep their names,
    shapes and types. The same model and images give the same bytes.

    Args:
        model: from `components.export.onnx_graph.convert`; it is not changed.
        images: uint8 (n, h, w, c), 0 to 255, n at least 1, of the training split.

    Raises:
        BeamlineError: an activation is not finite.
    """
    import onnx

    # The first import of onnxruntime must turn its telemetry off.
    runtime()
    from onnxruntime.quantization.onnx_model import ONNXModel

    # The quantiser reuses the names of constants for computed values, so the initializers get a prefix, to avoid
    # clashes.
    unchanged = dict.fromkeys(("rename_nodes", "rename_edges", "rename_inputs", "rename_outputs"), False)
    graph = ONNXModel(onnx.compose.add_prefix(model, "float_", **unchanged))
    pixels_name = _take_pixels(graph)
    ranges = _calibrate(graph.model, images)
    if pixels_name is not None:
        ranges[pixels_name] = (np.float32(0), np.float32(255))
    quantized = ONNXModel(_in_integers(graph.model, ranges))
    _bypass_needless_quantization(quantized, pixels_name)
    canonicalize(quantized.model)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(quantized.model, {**properties, "precision": "int8"})
    onnx.checker.check_model(quantized.model, full_check=True)
    return quantized.model


def _take_pixels(graph: Any) -> str | None:
    """Connects the first layer to the pixels, if no preprocessing is left before it.

    For the calibration, the graph's input is float32 until `_bypass_needless_quantization` makes it uint8 again.

    Returns: the name of the first layer's input (float32 pixels, 0 to 255); None if some preprocessing is left.
    """
    from onnx import TensorProto

    (cast,) = graph.input_name_to_nodes()["images"]
    if any(consumer.op_type in ("Mul", "Add") for consumer in graph.input_name_to_nodes()[cast.output[0]]):
        return None
    first = next(node for node in graph.nodes() if node.op_type in ("Conv", "Gemm"))
    graph.replace_input_of_all_nodes(cast.output[0], "images")
    graph.remove_node(cast)
    graph.graph().input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    return str(first.input[0])


def _calibrate(model: onnx.ModelProto, images: Images) -> dict[str, tuple[np.float32, np.float32]]:
    """Runs the model on the images and returns the lowest and the highest value of each activation, by name."""
    import onnx
    from onnx import TensorProto, helper

    watched = onnx.shape_inference.infer_shapes(model)
    values = [value for value in watched.graph.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT]
    names = [value.name for value in values]
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    # With one thread and no optimization, the last bits do not depend on this machine's processors.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    pixel_type = np.float32 if session.get_inputs()[0].type == "tensor(float)" else np.uint8
    found = []
    for start in range(0, len(images), BATCH_ROWS):
        given = images[start : start + BATCH_ROWS].astype(pixel_type)
        found.append([(value.min(), value.max()) for value in session.run(names, {"images": given})])
    lowest, highest = np.min(found, axis=0)[:, 0], np.max(found, axis=0)[:, 1]
    for name, low, high in zip(names, lowest, highest, strict=True):
        if not np.isfinite([low, high]).all():
            raise BeamlineError(f"{name} reaches {low} to {high} on training images: train with a lower learning rate")
    return dict(zip(names, zip(lowest, highest, strict=True), strict=True))


def _in_integers(model: onnx.ModelProto, ranges: dict[str, tuple[np.float32, np.float32]]) -> onnx.ModelProto:
    """Adds QuantizeLinear and DequantizeLinear around the operations that onnxruntime then runs in integers."""
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import TensorData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    return QDQQuantizer(
        model,
        per_channel=True,
        # Weights to ±64: with AVX2 but without VNNI, two products are added in int16, and 2 · 255 · 64 = 32,640 fits.
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range={name: TensorData(lowest=low, highest=high) for name, (low, high) in ranges.items()},
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=INTEGER,
        extra_options={},
    ).quantize_model()


def _bypass_needless_quantization(graph: Any, pixels_name: str | None) -> None:
    """Bypasses QuantizeLinear and DequantizeLinear where they only lose time or precision.

    These are the pairs (1) on the pixels, which are uint8 already, and (2) between a Gemm and operations that run in
    floats, e.g. softmax.
    """
    from onnx import TensorProto

    producers, consumers = graph.output_name_to_node(), graph.input_name_to_nodes()
    for dequantizer in [n for n in graph.nodes() if n.op_type == "DequantizeLinear" and n.input[0] in producers]:
        quantizer = producers[dequantizer.input[0]]
        if quantizer.input[0] == pixels_name:
            graph.replace_input_of_all_nodes(quantizer.output[0], pixels_name)
            graph.graph().input[0].type.tensor_type.elem_type = TensorProto.UINT8
        elif producers[quantizer.input[0]].op_type == "Gemm" and not any(
            consumer.op_type in INTEGER for consumer in consumers[dequantizer.output[0]]
        ):
            graph.replace_input_of_all_nodes(dequantizer.output[0], quantizer.input[0])
