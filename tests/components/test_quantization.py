"""quantization: the int8 model answers nearly as Keras does, in integers throughout, with the same bytes each time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace

import numpy as np
import onnx
import onnx.reference
import onnx.version_converter
import onnxruntime
import pytest
from onnx import numpy_helper

from components.onnx_graph import convert
from components.quantization import quantize
from components.saved_model import serving_module
from serving.errors import BeamlineError
from serving.network import Network
from tests.conftest import ROOT

# By name: image shape, layers, and what onnxruntime makes of them, in order, but for Transpose.
FLAT = ["Reshape", "QGemm"]
NETWORKS = {
    "linear": ((9, 7, 1), {}, [*FLAT, "Softmax"]),
    "mlp": ((9, 7, 1), {"hidden": (24, 16)}, [*FLAT, "QGemm", "QGemm", "Softmax"]),
    "sigmoid": (
        (9, 7, 3),
        {"hidden": (24,), "output_activation": "sigmoid"},
        [*FLAT, "QGemm", "Sigmoid", "ReduceSum", "Div"],
    ),
    "tanh": (
        (9, 7, 1),
        {"hidden": (24,), "hidden_activation": "tanh"},
        [*FLAT, "Tanh", "QuantizeLinear", "QGemm", "Softmax"],
    ),
    "cnn": (
        (9, 7, 1),
        {"convolutions": (4, 6), "hidden": (24,)},
        ["Reshape", "QLinearConv", "MaxPool", "QLinearConv", "MaxPool", *FLAT, "QGemm", "Softmax"],
    ),
    "cnn in colour": (
        (9, 7, 3),
        {"convolutions": (4, 6)},
        ["QLinearConv", "MaxPool", "QLinearConv", "MaxPool", *FLAT, "Softmax"],
    ),
    "cnn with tanh": (
        (9, 7, 3),
        {"convolutions": (4, 6), "hidden_activation": "tanh"},
        [*["QLinearConv", "DequantizeLinear", "Tanh", "QuantizeLinear", "MaxPool"] * 2, *FLAT, "Softmax"],
    ),
}
STANDARDIZED = {1: ((1 / 60,), (-0.7,)), 3: ((1 / 60, 1 / 75, 1 / 50), (-0.7, -1.1, 0.2))}


def random_images(rows, shape, seed=3):
    return np.random.default_rng(seed).integers(0, 256, (rows, *shape)).astype(np.uint8)


def bytes_of(model):
    return model.SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def networks(write_untrained, unit_transform, tmp_path_factory):
    """Name, normalisation -> the Keras model with weights and biases, its transform, and its float ONNX model."""
    made = {}

    def network(name, normalization="unit"):
        if (name, normalization) in made:
            return made[name, normalization]
        shape, layers, _ = NETWORKS[name]
        model = write_untrained(tmp_path_factory.mktemp("model"), shape, 4, **layers)
        keras_model = model.keras_model()
        random = np.random.default_rng(7)
        biased = [weight + random.normal(0, 0.2, weight.shape) * (weight.ndim == 1) for weight in model.weights()]
        keras_model.set_weights(biased)
        model.write_keras_model(keras_model)
        fixed = unit_transform(shape[-1], 4)
        if normalization == "standardize":
            scale, offset = STANDARDIZED[shape[-1]]
            fixed = replace(fixed, normalization=normalization, scale=scale, offset=offset)
        converted = convert(serving_module(model, fixed, shape), {"model": "by-hand", "labels": "[]"})
        made[name, normalization] = (keras_model, fixed, converted)
        return made[name, normalization]

    return network


def by_keras(keras_model, fixed, images):
    scores = keras_model.predict(fixed.normalize(images).numpy(), verbose=0)
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("normalization", ["unit", "standardize"])
@pytest.mark.parametrize("name", NETWORKS)
def test_int8_answers_nearly_as_keras(networks, name, normalization):
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
def test_onnxruntime_calculates_what_onnx_defines(networks, name):
    shape = NETWORKS[name][0]
    images = random_images(50, shape, seed=5)
    quantized = quantize(networks(name)[2], random_images(200, shape))
    defined = onnx.version_converter.convert_version(quantized, 19)  # The first that the evaluator knows whole.
    (expected,) = onnx.reference.ReferenceEvaluator(defined).run(None, {"images": images})
    # Where a value lies between two steps, the last bits of the products decide.
    assert Network(bytes_of(quantized)).probabilities(images) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_calculates_in_integers_throughout(networks, name, tmp_path):
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
def test_first_layer_takes_the_pixels_as_they_are(networks, name, normalization):
    shape = NETWORKS[name][0]
    reshape, pixels, *_ = quantize(networks(name, normalization)[2], random_images(200, shape)).graph.node
    assert (reshape.op_type, reshape.input[0], pixels.op_type) == ("Reshape", "images", "DequantizeLinear")


@pytest.mark.parametrize(("name", "layers"), [("mlp", 3), ("cnn", 4)])
def test_each_channel_of_the_weights_uses_all_of_a_range_that_no_processor_overflows(networks, name, layers):
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


def test_metadata_is_that_of_the_float_model_and_the_precision(networks):
    converted = networks("mlp")[2]
    quantized = quantize(converted, random_images(200, (9, 7, 1)))
    said, expected = ({entry.key: entry.value for entry in m.metadata_props} for m in (quantized, converted))
    assert set(expected) == {"model", "labels", "weights_sha256"}
    assert said == {**expected, "precision": "int8"}


def test_float_model_is_not_changed(networks):
    converted = networks("cnn")[2]
    before = bytes_of(converted)
    quantize(converted, random_images(200, (9, 7, 1)))
    assert bytes_of(converted) == before


def test_range_of_pixels_is_known_whatever_images_it_is_calibrated_on(networks):
    keras_model, fixed, converted = networks("linear")
    images = random_images(100, (9, 7, 1))
    quantized = quantize(converted, np.full((10, 9, 7, 1), 100, np.uint8))
    got = Network(bytes_of(quantized)).probabilities(images)
    assert got == pytest.approx(by_keras(keras_model, fixed, images), abs=0.01)


IN_ANOTHER_PROCESS = """
import sys
import numpy, onnx
from components.quantization import quantize

model = onnx.load(sys.argv[1])
images = numpy.load(sys.argv[2])
quantize(onnx.load(sys.argv[3]), images[:7])
sys.stdout.buffer.write(quantize(model, images).SerializeToString(deterministic=True))
"""


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_same_bytes_in_another_process_after_other_work(networks, name, tmp_path):
    images = random_images(230, (9, 7, 1))
    onnx.save(networks(name)[2], tmp_path / "model.onnx")
    onnx.save(networks("linear")[2], tmp_path / "other.onnx")
    np.save(tmp_path / "images.npy", images)
    expected = bytes_of(quantize(networks(name)[2], images))
    files = [str(tmp_path / file) for file in ("model.onnx", "images.npy", "other.onnx")]
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, *files],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert done.stdout == expected


def test_names_have_no_numbers_of_the_process(networks):
    graph = quantize(networks("cnn")[2], random_images(200, (9, 7, 1))).graph
    assert [tensor.name for tensor in graph.initializer] == [f"constant_{n}" for n in range(len(graph.initializer))]
    names = [name for node in graph.node for name in node.output]
    assert len(set(names)) == len(names)


def test_calibration_has_one_thread(networks, monkeypatch):
    given = []

    class Session(onnxruntime.InferenceSession):
        def __init__(self, model, options, **said):
            given.append((options.intra_op_num_threads, said["providers"]))
            super().__init__(model, options, **said)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    quantize(networks("mlp")[2], random_images(200, (9, 7, 1)))
    assert given == [(1, ["CPUExecutionProvider"])]


def test_every_calibration_image_is_looked_at(networks):
    images = np.zeros((250, 9, 7, 1), np.uint8)
    dark = bytes_of(quantize(networks("mlp")[2], images))
    images[249] = 255
    assert bytes_of(quantize(networks("mlp")[2], images)) != dark


def test_nothing_is_said_and_nothing_is_left(networks, tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    quantize(networks("cnn")[2], random_images(200, (9, 7, 1)))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_values_that_are_no_numbers_are_refused(networks):
    broken = onnx.ModelProto()
    broken.CopyFrom(networks("mlp")[2])
    (weights,) = [tensor for tensor in broken.graph.initializer if tuple(tensor.dims) == (24, 16)]
    weights.CopyFrom(numpy_helper.from_array(np.full((24, 16), np.nan, np.float32), weights.name))
    with pytest.raises(BeamlineError, match="reaches nan to nan on training images"):
        quantize(broken, random_images(200, (9, 7, 1)))
