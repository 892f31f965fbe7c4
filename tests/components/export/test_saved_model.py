"""saved_model: the SavedModel gives Keras's probabilities, and its bytes do not depend on the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.export.saved_model import canonicalize, serving_module, write_saved_model


def served(folder, images):
    import tensorflow as tf

    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return signature(images=tf.constant(images))["probabilities"].numpy()


def test_signature_takes_raw_pixels_and_returns_probabilities(made):
    import tensorflow as tf

    signature = tf.saved_model.load(str(made.bundle.path)).signatures["serving_default"]
    (taken,) = signature.structured_input_signature[1].values()
    assert (taken.name, taken.dtype, taken.shape.as_list()) == ("images", tf.uint8, [None, 8, 8, 1])
    (name, given), *others = signature.structured_outputs.items()
    assert (name, given.dtype, given.shape.as_list()) == ("probabilities", tf.float32, [None, 4])
    assert others == []


@pytest.mark.parametrize("rows", [1, 7, 200])
def test_saved_model_gives_the_probabilities_of_keras(made, rows_of, rows):
    images = rows_of(made.examples, "test")[0][:rows]
    expected = made.model.keras_model().predict(images / np.float32(255), verbose=0)
    got = served(made.bundle.path, images)
    assert np.array_equal(got.argmax(axis=1), expected.argmax(axis=1))
    assert got == pytest.approx(expected, abs=1e-5)


def test_sigmoid_scores_are_divided_by_their_sum(write_untrained, unit_transform, tmp_path):
    model = write_untrained(tmp_path, (4, 4, 1), 3, hidden=(5,), output_activation="sigmoid")
    images = np.random.default_rng(2).integers(0, 256, (50, 4, 4, 1)).astype(np.uint8)
    scores = model.keras_model().predict(images / np.float32(255), verbose=0)
    module = serving_module(model, unit_transform(1, 3), (4, 4, 1))
    probabilities = module.serve(images)["probabilities"].numpy()
    assert scores.sum(axis=1).min() > 1.1 or scores.sum(axis=1).max() < 0.9
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(50), abs=1e-6)
    assert probabilities == pytest.approx(scores / scores.sum(axis=1, keepdims=True), abs=1e-6)
    assert np.array_equal(probabilities.argmax(axis=1), scores.argmax(axis=1))


def test_convolutions_on_colour_images_give_the_probabilities_of_keras(write_untrained, unit_transform, tmp_path):
    (tmp_path / "saved").mkdir()
    model = write_untrained(tmp_path, (9, 7, 3), 4, convolutions=(3, 5), hidden=(6,))
    images = np.random.default_rng(2).integers(0, 256, (20, 9, 7, 3)).astype(np.uint8)
    write_saved_model(serving_module(model, unit_transform(3, 4), (9, 7, 3)), tmp_path / "saved")
    expected = model.keras_model().predict(images / np.float32(255), verbose=0)
    assert served(tmp_path / "saved", images) == pytest.approx(expected, abs=1e-5)


def test_parts_that_tensorflow_could_not_remove_are_removed(write_untrained, unit_transform, tmp_path, monkeypatch):
    import tensorflow as tf

    save = tf.saved_model.save

    def leaves_parts(module, folder, **options):
        save(module, folder, **options)
        parts = Path(folder, "variables/variables_temp")
        parts.mkdir()
        (parts / "part-00000-of-00001.index").write_bytes(b"a part")

    monkeypatch.setattr("tensorflow.saved_model.save", leaves_parts)
    for name in ("model", "saved"):
        (tmp_path / name).mkdir()
    model = write_untrained(tmp_path / "model", (4, 4, 1), 3, hidden=(5,))
    write_saved_model(serving_module(model, unit_transform(1, 3), (4, 4, 1)), tmp_path / "saved")
    files = sorted(file.name for file in (tmp_path / "saved").rglob("*") if file.is_file())
    assert files == ["saved_model.pb", "variables.data-00000-of-00001", "variables.index"]


def test_fingerprint_and_empty_folders_are_not_written(made):
    files = {file.relative_to(made.bundle.path).as_posix() for file in made.bundle.path.rglob("*")}
    assert files == {
        "drift.json",
        "manifest.json",
        "model.int8.onnx",
        "model.onnx",
        "sample",
        "sample/allowed.npy",
        "sample/images.npy",
        "sample/probabilities.npy",
        "saved_model.pb",
        "schema.json",
        "variables",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    }


def saved_with(*numbers):
    """A SavedModel whose functions have one stem and these numbers, and refer to each other in all places."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    graph = saved.meta_graphs.add()
    names = [f"__inference_serve_{number}" for number in numbers]
    for place, name in enumerate(names):
        function = graph.graph_def.library.function.add()
        function.signature.name = name
        function.attr["calls"].func.name = names[place - 1]
        function.attr["text"].s = names[place - 1].encode()
        graph.object_graph_def.concrete_functions[name].bound_inputs.append(place)
        graph.meta_info_def.function_aliases[name] = names[place - 1]
    graph.graph_def.node.add(name="kept_17", op=names[0])
    return saved


@pytest.mark.parametrize("numbers", [(17, 18, 99, 100, 101, 1000), (8, 9, 10, 11, 12, 13), (1, 2, 3, 4, 5, 6)])
def test_functions_are_renumbered_by_their_order_in_all_places(numbers):
    saved, expected = saved_with(*numbers), saved_with(*range(6))
    canonicalize(saved)
    functions = saved.meta_graphs[0].graph_def.library.function
    assert [function.signature.name for function in functions] == [f"__inference_serve_{rank}" for rank in range(6)]
    assert saved.meta_graphs[0].graph_def.node[0].name == "kept_17"
    assert saved.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)


def test_function_without_a_number_keeps_its_name():
    saved = saved_with(17, 99)
    saved.meta_graphs[0].graph_def.library.function.add().signature.name = "helper"
    canonicalize(saved)
    names = [function.signature.name for function in saved.meta_graphs[0].graph_def.library.function]
    assert names == ["__inference_serve_0", "__inference_serve_1", "helper"]


def functions_of(bundle):
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((bundle.path / "saved_model.pb").read_bytes())
    return [function for graph in saved.meta_graphs for function in graph.graph_def.library.function]


def test_function_names_of_a_bundle_do_not_depend_on_the_process(made):
    by_stem = {}
    for stem, _, number in (function.signature.name.rpartition("_") for function in functions_of(made.bundle)):
        by_stem.setdefault(stem, []).append(int(number))
    assert {stem.startswith("__inference_") for stem in by_stem} == {True}
    assert all(sorted(numbers) == list(range(len(numbers))) for numbers in by_stem.values())


def test_argument_names_of_a_bundle_do_not_depend_on_the_process(made):
    named = [
        attributes.attr["_user_specified_name"].s.decode()
        for function in functions_of(made.bundle)
        for attributes in function.arg_attr.values()
        if "_user_specified_name" in attributes.attr
    ]
    assert "images" in named
    assert [name for name in named if name.isdigit()] == []
