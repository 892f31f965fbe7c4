"""onnx_graph: the ONNX model gives Keras's probabilities, and equal networks have equal bytes."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.batches.normalized import normalize
from components.export.onnx_graph import canonicalize, convert, weights_sha256
from components.export.saved_model import serving_module


def by_onnxruntime(file, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"images": images})[0]


def by_reference(file, images):
    import onnx.reference

    return onnx.reference.ReferenceEvaluator(str(file)).run(["probabilities"], {"images": images})[0]


@pytest.mark.parametrize("evaluate", [by_onnxruntime, by_reference])
@pytest.mark.parametrize("rows", [1, 7, 200])
def test_onnx_gives_the_probabilities_of_keras(made, rows_of, evaluate, rows):
    images = rows_of(made.examples, "test")[0][:rows]
    expected = made.model.keras_model().predict(images / np.float32(255), verbose=0)
    got = evaluate(made.bundle.path / "model.onnx", images)
    assert got.dtype == np.float32
    assert np.array_equal(got.argmax(axis=1), expected.argmax(axis=1))
    assert got == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("evaluate", [by_onnxruntime, by_reference])
@pytest.mark.parametrize(
    "layers",
    [
        {"hidden": (5,), "output_activation": "sigmoid"},
        {"convolutions": (3, 5), "hidden": (6,), "hidden_activation": "tanh"},
    ],
)
def test_sigmoid_and_convolutions_on_colour_images_give_the_probabilities_of_keras(
    write_untrained, unit_transform, tmp_path, layers, evaluate
):
    model = write_untrained(tmp_path, (9, 7, 3), 4, **layers)
    images = np.random.default_rng(2).integers(0, 256, (20, 9, 7, 3)).astype(np.uint8)
    file = tmp_path / "model.onnx"
    converted = convert(serving_module(model, unit_transform(3, 4), (9, 7, 3)), {})
    file.write_bytes(converted.SerializeToString())
    scores = model.keras_model().predict(images / np.float32(255), verbose=0)
    probabilities = evaluate(file, images)
    assert probabilities == pytest.approx(scores / scores.sum(axis=1, keepdims=True), abs=1e-5)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-6)
    assert np.array_equal(probabilities.argmax(axis=1), scores.argmax(axis=1))


@pytest.mark.parametrize("offset", [0.0, -0.5])
@pytest.mark.parametrize(
    ("image_shape", "layers"),
    [
        ((9, 7, 1), {}),
        ((9, 7, 3), {"hidden": (5,)}),
        ((9, 7, 1), {"convolutions": (3,)}),
        ((9, 7, 3), {"convolutions": (3, 4)}),
    ],
)
def test_first_layer_does_the_preprocessing_if_possible(
    write_untrained, unit_transform, tmp_path, image_shape, layers, offset
):
    from onnx import numpy_helper

    channels = image_shape[-1]
    # A different scale for each channel, so that exchanged channels are noticed.
    scale = tuple((1 + channel) / 400 for channel in range(channels))
    fixed = replace(unit_transform(channels, 4), scale=scale, offset=(offset,) * channels)
    model = write_untrained(tmp_path, image_shape, 4, **layers)
    keras_model = model.keras_model()
    random = np.random.default_rng(7)
    biased = [weight + random.normal(0, 0.2, weight.shape) * (weight.ndim == 1) for weight in model.weights()]
    keras_model.set_weights(biased)
    converted = convert(serving_module(model.write_keras_model(keras_model, ""), fixed, image_shape), {})
    graph, kinds = converted.graph, {node.op_type for node in converted.graph.node}
    images = np.random.default_rng(2).integers(0, 256, (200, *image_shape)).astype(np.uint8)
    expected = keras_model.predict(normalize(fixed, images).numpy(), verbose=0)
    got = by_onnxruntime(converted.SerializeToString(), images)
    assert np.array_equal(got.argmax(axis=1), expected.argmax(axis=1))
    assert got == pytest.approx(expected, abs=1e-6)
    if "convolutions" in layers and offset:
        # The padding is zero after the preprocessing, so it stays; it is by pixel, which onnxruntime does in one step.
        shapes = {tensor.name: numpy_helper.to_array(tensor).shape for tensor in graph.initializer}
        assert {shapes[node.input[1]] for node in graph.node if node.op_type in ("Mul", "Add")} == {image_shape}
    else:
        assert not kinds & {"Mul", "Add", "Sub", "Div", "MatMul"}


def test_input_and_output_keep_their_names_and_a_free_batch_dimension(made):
    import onnxruntime

    session = onnxruntime.InferenceSession(made.bundle.path / "model.onnx", providers=["CPUExecutionProvider"])
    (taken,), (returned,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("images", "tensor(uint8)", ["n", 8, 8, 1])
    assert (returned.name, returned.type, returned.shape) == ("probabilities", "tensor(float)", ["n", 4])


def test_metadata_name_model_labels_and_weights(made):
    import onnx
    import onnxruntime

    file = made.bundle.path / "model.onnx"
    metadata = onnxruntime.InferenceSession(file).get_modelmeta().custom_metadata_map
    assert sorted(metadata) == ["labels", "model", "weights_sha256"]
    assert metadata["model"] == "tiny"
    assert tuple(json.loads(metadata["labels"])) == made.examples.class_names
    assert metadata["weights_sha256"] == weights_sha256(onnx.load(file))


def test_one_changed_weight_changes_the_weights_digest(made):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(made.bundle.path / "model.onnx")
    before = weights_sha256(model)
    tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = numpy_helper.to_array(tensor).copy()
    values.flat[0] = np.nextafter(values.flat[0], np.float32(9))
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    assert weights_sha256(model) != before


def test_names_do_not_depend_on_the_process(made):
    import onnx

    graph = onnx.load(made.bundle.path / "model.onnx").graph
    names = [name for node in graph.node for name in (node.name, *node.input, *node.output)]
    numbers = {int(number) for name in names for number in re.findall(r"__(\d+)", name)}
    assert numbers == set(range(len(numbers)))
    assert {tensor.name for tensor in graph.initializer} <= set(names)


def numbered_graph(numbers, stems, nodes_order, constants_order):
    """images · a, + b, · c, as a converter writes it in a process that has reached these numbers and names."""
    from onnx import TensorProto, helper

    first, second = (f"made__{number}" for number in numbers[3:])
    a, b, c = (f"{stem}__{number}" for stem, number in zip(stems, numbers, strict=False))
    nodes = [
        helper.make_node("Mul", ["images", a], [first], name=f"op__{numbers[3]}"),
        helper.make_node("Add", [first, b], [second], name=f"op__{numbers[4]}"),
        helper.make_node("Mul", [second, c], ["probabilities"], name="op"),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, (2,), [value, -value]) for name, value in ((a, 2), (b, 3), (c, 5))
    ]
    graph = helper.make_graph(
        [nodes[place] for place in nodes_order],
        f"converted {numbers[0]}",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [f"unk__{numbers[1]}", 2])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [f"unk__{numbers[2]}", 2])],
        [constants[place] for place in constants_order],
        doc_string=f"made by process {numbers[4]}",
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@given(
    st.lists(st.integers(0, 300), min_size=5, max_size=5, unique=True),
    st.lists(st.sampled_from(["const_axes", "const_starts", "dense/ReadVariableOp"]), min_size=3, max_size=3),
    st.permutations(range(3)),
    st.permutations(range(3)),
)
def test_equal_graphs_have_equal_bytes_for_any_names_and_order(numbers, stems, nodes_order, constants_order):
    import onnx
    import onnx.reference

    expected = numbered_graph(range(5), ["const"] * 3, range(3), range(3))
    got = numbered_graph(numbers, stems, nodes_order, constants_order)
    for model in (expected, got):
        canonicalize(model)
        onnx.checker.check_model(model, full_check=True)
    assert got.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)
    images = np.array([[1, 2]], np.float32)
    (answer,) = onnx.reference.ReferenceEvaluator(got).run(None, {"images": images})
    assert answer.tolist() == [[(1 * 2 + 3) * 5, (2 * -2 - 3) * -5]]
