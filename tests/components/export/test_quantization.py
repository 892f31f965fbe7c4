"""quantization: the int8 model is close to Keras, and runs in integers from the pixels to the scores."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.reference
import onnx.version_converter
import onnxruntime
import pytest
from onnx import numpy_helper

from components.batches.normalized import normalize
from components.export.quantization import quantize
from serving.errors import BeamlineError
from serving.scoring.network import Network
from tests.components.export.quantized_networks import NETWORKS, bytes_of, random_images


def by_keras(keras_model, fixed, images):
    scores = keras_model.predict(normalize(fixed, images).numpy(), verbose=0)
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("normalization", ["unit", "standardize"])
@pytest.mark.parametrize("name", NETWORKS)
def test_int8_probabilities_are_close_to_those_of_keras(networks, name, normalization):
    keras_model, fixed, converted = networks(name, normalization)
    shape = NETWORKS[name][0]
    images = random_images(500, shape, seed=4)
    expected = by_keras(keras_model, fixed, images)
    got = Network(bytes_of(quantize(converted, images))).probabilities(images)
    assert (got.dtype, got.shape) == (np.float32, (500, 4))
    assert got.sum(axis=1) == pytest.approx(np.ones(500), abs=1e-6)
    assert np.abs(got - expected).max() < 0.2 * expected.std(axis=0).max()
    assert (got.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.97


@pytest.mark.parametrize("name", ["mlp", "sigmoid", "cnn in colour"])
def test_onnxruntime_computes_what_onnx_defines(networks, name):
    shape = NETWORKS[name][0]
    images = random_images(50, shape, seed=5)
    quantized = quantize(networks(name)[2], random_images(200, shape))
    defined = onnx.version_converter.convert_version(
        quantized, 19
    )  # The first opset that the evaluator supports completely.
    (expected,) = onnx.reference.ReferenceEvaluator(defined).run(None, {"images": images})
    # If a value is between two steps, the last bits of the products decide.
    assert Network(bytes_of(quantized)).probabilities(images) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_computes_in_integers_from_pixels_to_scores(networks, name, tmp_path):
    shape, _, runs = NETWORKS[name]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    quantized = quantize(networks(name)[2], random_images(200, shape))
    onnxruntime.InferenceSession(bytes_of(quantized), options, providers=["CPUExecutionProvider"])
    found = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert [operation.removeprefix("Nhwc") for operation in found if operation != "Transpose"] == runs


@pytest.mark.parametrize(("name", "normalization"), [("mlp", "unit"), ("sigmoid", "standardize"), ("cnn", "unit")])
def test_first_layer_takes_the_pixels_directly(networks, name, normalization):
    shape = NETWORKS[name][0]
    reshape, pixels, *_ = quantize(networks(name, normalization)[2], random_images(200, shape)).graph.node
    assert (reshape.op_type, reshape.input[0], pixels.op_type) == ("Reshape", "images", "DequantizeLinear")


@pytest.mark.parametrize(("name", "layers"), [("mlp", 3), ("cnn", 4)])
def test_weights_of_each_channel_use_the_full_range_that_cannot_overflow(networks, name, layers):
    assert 2 * 255 * 64 < 1 << 15 < 2 * 255 * 65
    graph = quantize(networks(name)[2], random_images(200, NETWORKS[name][0])).graph
    constants = [numpy_helper.to_array(tensor) for tensor in graph.initializer]
    weights = [constant for constant in constants if constant.dtype == np.int8 and constant.ndim > 1]
    assert len(weights) == layers
    for values in weights:
        channels = values.T if values.ndim == 2 else values.reshape(len(values), -1)
        assert (np.abs(channels.astype(int)).max(axis=1) == 64).all()


def test_input_and_output_keep_their_names_and_a_free_batch_dimension(networks):
    quantized = quantize(networks("mlp")[2], random_images(200, (9, 7, 1)))
    session = onnxruntime.InferenceSession(bytes_of(quantized), providers=["CPUExecutionProvider"])
    (taken,), (returned,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("images", "tensor(uint8)", ["n", 9, 7, 1])
    assert (returned.name, returned.type, returned.shape) == ("probabilities", "tensor(float)", ["n", 4])
    assert Network(bytes_of(quantized)).probabilities(random_images(0, (9, 7, 1))).shape == (0, 4)


def test_metadata_is_that_of_the_float_model_plus_the_precision(networks):
    converted = networks("mlp")[2]
    quantized = quantize(converted, random_images(200, (9, 7, 1)))
    metadata, expected = ({entry.key: entry.value for entry in m.metadata_props} for m in (quantized, converted))
    assert set(expected) == {"model", "labels", "weights_sha256"}
    assert metadata == {**expected, "precision": "int8"}


def test_range_of_pixels_does_not_depend_on_the_calibration_images(networks):
    keras_model, fixed, converted = networks("linear")
    images = random_images(100, (9, 7, 1))
    quantized = quantize(converted, np.full((10, 9, 7, 1), 100, np.uint8))
    got = Network(bytes_of(quantized)).probabilities(images)
    assert got == pytest.approx(by_keras(keras_model, fixed, images), abs=0.01)


def test_activations_that_are_not_finite_are_refused(networks):
    broken = onnx.ModelProto()
    broken.CopyFrom(networks("mlp")[2])
    (weights,) = [tensor for tensor in broken.graph.initializer if tuple(tensor.dims) == (24, 16)]
    weights.CopyFrom(numpy_helper.from_array(np.full((24, 16), np.nan, np.float32), weights.name))
    with pytest.raises(BeamlineError, match="reaches nan to nan on training images"):
        quantize(broken, random_images(200, (9, 7, 1)))
