"""export: the bundle has the same bytes in every process, and its manifest describes it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.bundle import Bundle
from components.artifacts.preprocessing import Augmentation
from components.export import convert as component
from components.export import export
from components.export.onnx_graph import convert
from components.export.saved_model import serving_module
from pipeline.engine.source_code import library_versions
from serving.batch.decoding.background import METHOD, background_of
from serving.bundle.bundle import load_bundle
from serving.errors import BeamlineError
from tests.components.whole_steps import export_model


@pytest.fixture(scope="module")
def again(made, write_untrained, unit_transform, tmp_path_factory):
    """The same bundle again, after TensorFlow and tf2onnx have numbered other names."""
    import tensorflow as tf

    first = made.bundle
    other = write_untrained(tmp_path_factory.mktemp("other"), (5, 5, 3), 3, convolutions=(2,))
    convert(serving_module(other, unit_transform(3, 3), (5, 5, 3)), {})
    for _ in range(3):
        tf.function(lambda value: value + 1).get_concrete_function(tf.TensorSpec((None,), tf.float32))
    out = tmp_path_factory.mktemp("again")
    given = (made.model, made.transform, made.statistics, made.examples, made.evaluation)
    return export_model(*given, first.opened().manifest.model, out)


def test_second_export_in_one_process_writes_the_same_bytes(made, again, contents):
    first, second = contents(made.bundle.path), contents(again.path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert again.sha256 == made.bundle.sha256


def test_manifest_records_the_origin_of_the_model(made):
    manifest = load_bundle(made.bundle.path, made.bundle.sha256).manifest
    assert manifest.model == "tiny"
    assert manifest.image_shape == (8, 8, 1)
    assert manifest.labels == ("bar", "cross", "ring", "corner, left")
    assert manifest.preprocessing == {
        "normalization": "unit",
        "scale": [1 / 255],
        "offset": [0.0],
        "resize": None,
        "background": None,
    }
    assert manifest.dataset == {
        "name": "tiny",
        "version": "1.0.0",
        "splits": {
            "train": {"rows": 600, "sha256": made.examples.sha256("train")},
            "test": {"rows": 200, "sha256": made.examples.sha256("test")},
        },
    }
    assert manifest.training == json.loads(json.dumps(made.model.recipe))
    assert manifest.gate == {
        "accuracy": made.evaluation.accuracy,
        "interval": list(made.evaluation.interval),
        "min_accuracy": 0.9,
        "rows": 200,
        "min_recall": None,
        "calibration_error": made.evaluation.calibration_error,
        "evaluation_sha256": made.evaluation.digest(),
        "weights_sha256": made.evaluation.weights_sha256,
    }


def test_sample_has_the_trained_models_probabilities_of_the_first_test_images(made):
    images, probabilities = (np.load(made.bundle.path / f"sample/{name}.npy") for name in ("images", "probabilities"))
    assert images.dtype == np.uint8
    assert np.array_equal(images, made.examples.images(made.examples.blocks["test"][0])[:16])
    expected = made.model.keras_model().predict(images / np.float32(255), verbose=0)
    assert np.abs(probabilities - expected).max() <= 1e-6


def test_manifest_records_the_versions_of_the_libraries(made):
    import keras
    import tensorflow as tf

    versions = made.bundle.opened().manifest.versions
    assert versions["tensorflow"] == tf.__version__
    assert versions["keras"] == keras.__version__
    assert versions["numpy"] == np.__version__
    # All of them are in the step's key: an upgrade makes another bundle.
    assert versions.items() <= library_versions("components.export.convert").items()
    assert {"tf2onnx", "onnx", "onnxruntime"} < versions.keys()


def answers(bundle, file, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(bundle.path / file, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"images": images})[0]


def test_bundle_has_the_int8_model_with_its_figures(made, rows_of):
    images, labels = rows_of(made.examples, "test")
    float32, int8 = (answers(made.bundle, file, images) for file in ("model.onnx", "model.int8.onnx"))
    assert 0 < np.abs(int8 - float32).max() < 0.05
    assert made.bundle.opened().manifest.precisions == {
        "float32": {"file": "model.onnx", "correct": 200, "rows": 200, "accuracy": 1.0},
        "int8": {
            "file": "model.int8.onnx",
            "correct": int((int8.argmax(axis=1) == labels).sum()),
            "rows": 200,
            "accuracy": (int8.argmax(axis=1) == labels).mean(),
            "agreement": (int8.argmax(axis=1) == float32.argmax(axis=1)).mean(),
            "lost": 0,
            "gained": 0,
            "p_worse": 0.5,
        },
    }
    assert made.bundle.summary().endswith("; int8 accuracy 1.0000, float32 1.0000")


@pytest.fixture
def export_with(made, rows_of, write_examples, tmp_path):
    """Weight -> the bundle of the trained model with this weight for a pixel that is black in every image."""
    splits = {split: rows_of(made.examples, split) for split in ("train", "test")}
    for images, _ in splits.values():
        images[:, 0, 7] = 0
    for name in ("examples", "out"):
        (tmp_path / name).mkdir()
    examples = write_examples(tmp_path / "examples", splits, made.examples.class_names)

    def run(weight):
        shutil.copytree(made.model.path, tmp_path / "model")
        weights = np.load(tmp_path / "model" / "weights-000.npy")
        weights[7] = weight
        np.save(tmp_path / "model" / "weights-000.npy", weights)
        model = replace(made.model, path=tmp_path / "model")
        rest = (examples, made.evaluation, "tiny", tmp_path / "out")
        return export_model(model, made.transform, made.statistics, *rest)

    return run


def test_worse_int8_model_is_left_out_and_the_manifest_has_the_reason(export_with):
    bundle = export_with(1e5)  # In int8, all other weights then round to 0.
    float32, int8 = bundle.opened().manifest.precisions.values()
    assert float32["accuracy"] > 0.95
    assert int8["accuracy"] < 0.5
    assert int8["lost"] > 100
    assert int8["p_worse"] < 1e-9
    assert int8["left_out"].startswith(f"{int8['lost']} test rows that float32 gets right are wrong")
    assert not (bundle.path / "model.int8.onnx").exists()
    assert "model.int8.onnx" not in bundle.opened().files
    assert bundle.summary().endswith(f"; int8 left out: {int8['left_out']}")


def test_gate_that_refuses_int8_leaves_it_out_of_a_bundle_that_is_otherwise_the_same(made, tmp_path, contents):
    rows = made.evaluation.rows
    strict = replace(made.evaluation, min_accuracy=1.0)
    bundle = export.run(made.bundle, made.examples, strict, tmp_path)
    int8 = bundle.opened().manifest.precisions["int8"]
    judged = made.bundle.opened().manifest.precisions["int8"]
    assert int8["left_out"].startswith(f"accuracy {judged['accuracy']:.4f} ({judged['correct']} of {rows})")
    assert int8["left_out"].endswith("< 1")
    assert {**int8, "file": "model.int8.onnx"} == {**judged, "left_out": int8["left_out"]}
    exported, before = contents(bundle.path), contents(made.bundle.path)
    assert before.keys() - exported.keys() == {"model.int8.onnx"}
    assert {name for name in exported if exported[name] != before[name]} == {"manifest.json"}
    assert bundle.opened().manifest.gate["min_accuracy"] == 1.0


def test_converted_bundle_says_nothing_of_a_gate_and_export_adds_only_that(made, tmp_path, contents):
    folders = [tmp_path / name for name in ("converted", "exported")]
    for folder in folders:
        folder.mkdir()
    given = (made.model, made.transform, made.statistics, made.examples)
    converted = component.run(*given, component.Params("tiny"), folders[0])
    assert converted.opened().manifest.gate == {}
    assert export.run(converted, made.examples, made.evaluation, folders[1]).sha256 == made.bundle.sha256
    files = contents(folders[0])
    assert {name for name, content in contents(folders[1]).items() if content != files[name]} == {"manifest.json"}


def test_converted_bundle_that_is_damaged_is_no_verdict(made, bundle_copy, tmp_path):
    (bundle_copy / "model.onnx").write_bytes(b"")
    (tmp_path / "out").mkdir()
    with pytest.raises(BeamlineError, match=r"model\.onnx was changed"):
        export.run(Bundle.load(bundle_copy), made.examples, made.evaluation, tmp_path / "out")


def test_int8_model_is_written_if_the_weight_is_zero(export_with):
    assert (export_with(0).path / "model.int8.onnx").exists()


def test_model_that_returns_nan_has_no_int8_model(export_with):
    int8 = export_with(np.nan).opened().manifest.precisions["int8"]
    assert int8.keys() == {"left_out"}
    assert "reaches nan to nan on training images" in int8["left_out"]


def test_bundle_contains_no_path(made, contents):
    for name, content in contents(made.bundle.path).items():
        assert str(made.bundle.path.parent).encode() not in content, name


def test_another_name_or_other_weights_give_another_bundle(made, tmp_path, write_untrained):
    for folder in ("renamed", "untrained", "weights"):
        (tmp_path / folder).mkdir()
    rest = (made.transform, made.statistics, made.examples, made.evaluation)
    renamed = export_model(made.model, *rest, "other", tmp_path / "renamed")
    fresh = write_untrained(tmp_path / "weights", (8, 8, 1), 4, hidden=(16,))
    untrained = export_model(fresh, *rest, "tiny", tmp_path / "untrained")
    assert len({made.bundle.sha256, renamed.sha256, untrained.sha256}) == 3


def test_manifest_records_how_training_images_were_resized_and_laid_on_a_background(made, tmp_path):
    resized = replace(made.examples, resize="some method", background="#0a141e")
    rest = (made.evaluation, "tiny", tmp_path)
    bundle = export_model(made.model, made.transform, made.statistics, resized, *rest)
    manifest = load_bundle(bundle.path).manifest
    assert manifest.preprocessing["resize"] == {"method": "some method", "height": 8, "width": 8}
    assert manifest.resize_method == "some method"
    assert manifest.preprocessing["background"] == {"method": METHOD, "colour": "#0a141e"}
    assert manifest.background == (METHOD, (10, 20, 30))
    assert background_of(load_bundle(bundle.path)) == (10, 20, 30)


def test_augmentation_is_not_exported(made, tmp_path, contents):
    moving = replace(made.transform, augmentation=Augmentation(0.2, 30.0, 0.25))
    rest = (made.statistics, made.examples, made.evaluation, "tiny", tmp_path)
    export_model(made.model, moving, *rest)
    assert contents(tmp_path) == contents(made.bundle.path)


def test_random_state_of_dropout_is_not_exported(made, write_untrained, tmp_path, contents):
    model = write_untrained(tmp_path, (8, 8, 1), 4, hidden=(5,), dropout=0.5)
    rest = (made.transform, made.statistics, made.examples, made.evaluation, "tiny")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        export_model(model, *rest, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
