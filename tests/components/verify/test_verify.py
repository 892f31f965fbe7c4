"""verify: a bundle that scores differently from the trained model is refused, even with a valid manifest."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.bundle import Bundle
from components.artifacts.verification import Verification
from components.export.saved_model import serving_module, write_saved_model
from tests.components.verify.changed_bundles import change_weights, seal_again


def test_exported_bundle_passes_and_only_the_verdict_is_written(made, verification):
    assert verification.passed
    assert verification.bundle_sha256 == made.bundle.sha256
    assert (verification.rows, verification.correct) == (200, made.evaluation.correct)
    assert verification.disagreements == ()
    assert 0 <= verification.max_difference <= 1e-5
    assert 0.05 < verification.used_fraction < 1
    assert "agree on 200 of 200 test images" in verification.reasons[0]
    assert sorted(file.name for file in verification.path.iterdir()) == ["measured.json", "verification.json"]
    assert Verification.load(verification.path) == verification


def test_changed_file_is_refused_by_name(verify_bundle, bundle_copy):
    change_weights(bundle_copy, lambda values: values.__setitem__((0, 0), values[0, 0] + 1))
    refused = verify_bundle(Bundle.load(bundle_copy))
    assert not refused.passed
    assert "model.onnx" in refused.reasons[0]
    assert [file.name for file in refused.path.iterdir()] == ["verification.json"]


def test_changed_onnx_weight_is_refused_even_with_a_valid_manifest(made, verify_bundle, bundle_copy):
    change_weights(bundle_copy, lambda bias: bias.__setitem__(0, bias[0] + 0.5), shape=(4,))
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert not refused.passed
    assert any("ONNX, test image" in reason for reason in refused.reasons)
    assert refused.used_fraction > 100


def test_onnx_model_that_predicts_other_classes_is_refused_with_the_rows(made, verify_bundle, bundle_copy):
    change_weights(bundle_copy, lambda values: values.__imul__(-1))
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert not refused.passed
    assert refused.disagreements
    assert "test images are given other classes; first: test image" in refused.reasons[0]
    assert any(reason.startswith("ONNX: accuracy") for reason in refused.reasons)


def test_nan_in_the_onnx_weights_is_refused(made, verify_bundle, bundle_copy):
    change_weights(bundle_copy, lambda values: values.fill(np.nan))
    assert not verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest)).passed


def test_different_saved_model_is_refused_even_if_onnx_is_right(
    made, verify_bundle, bundle_copy, tmp_path, write_untrained, unit_transform
):
    (tmp_path / "model").mkdir()
    other = write_untrained(tmp_path / "model", (8, 8, 1), 4, hidden=(16,))
    shutil.rmtree(bundle_copy / "variables")
    write_saved_model(serving_module(other, unit_transform(1, 4), (8, 8, 1)), bundle_copy)
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert not refused.passed
    assert "SavedModel" in refused.disagreements[0]
    assert refused.correct == made.evaluation.correct


def test_onnx_accuracy_below_the_gate_is_refused(made, verify_bundle):
    refused = verify_bundle(made.bundle, min_accuracy=0.9999)
    assert not refused.passed
    assert [reason[: len("ONNX: accuracy")] for reason in refused.reasons] == ["ONNX: accuracy", "int8: accuracy"]
    assert "< 0.9999" in refused.reasons[0]


def test_every_rule_is_recorded(verification):
    names = [rule.name for rule in verification.rules]
    assert names == [
        *("classes", "probabilities", "batches", "fresh process", "ONNX weights", "SavedModel weights"),
        *("class names", "checker", "files", "ONNX accuracy"),
        *("int8 weights", "int8 ranges", "int8 probabilities", "int8 accuracy", "sample"),
    ]
    assert all(rule.passed for rule in verification.rules)


def test_costs_of_scoring_are_recorded_outside_of_the_digest(verification):
    took = verification.measured()
    assert 0 < took.load_seconds < 60
    assert took.images_per_second > 1
    assert 10e6 < took.peak_memory_bytes < 1e9
    assert f"{took.images_per_second:,.0f} images/s" in verification.summary()
    assert "images_per_second" not in (verification.path / "verification.json").read_text()


def test_difference_that_moves_no_class_is_refused(made, verify_bundle, bundle_copy):
    change_weights(bundle_copy, lambda bias: bias.__setitem__(0, bias[0] + 5e-4), shape=(4,))
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert refused.max_difference < 1e-3
    failed = [rule.name for rule in refused.rules if not rule.passed]
    assert failed == ["probabilities", "batches", "fresh process", "ONNX weights", "sample"]


def test_weight_that_moves_no_probability_beyond_rounding_is_refused_with_its_place(made, verify_bundle, bundle_copy):
    def change(values):
        values[3, 2] = np.nextafter(np.nextafter(values[3, 2], np.float32(9)), np.float32(9))

    change_weights(bundle_copy, change)
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert reason.startswith("ONNX: scores, kernel [3, 2] is ")
    assert reason.endswith("; 1 of 64 differ: export again")


def test_weight_may_differ_by_one_rounding(made, verify_bundle, bundle_copy):
    change_weights(bundle_copy, lambda values: values.__setitem__((3, 2), np.nextafter(values[3, 2], np.float32(9))))
    assert verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest)).passed


def test_constant_that_is_no_weight_is_refused(made, verify_bundle, bundle_copy):
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(bundle_copy / "model.onnx")
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(4, np.float32), "nothing"))
    model.graph.node.insert(len(model.graph.node) - 1, helper.make_node("Add", [softmax.input[0], "nothing"], ["same"]))
    softmax.input[0] = "same"
    (bundle_copy / "model.onnx").write_bytes(model.SerializeToString())
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert refused.reasons == ("ONNX: the constant nothing is not a weight of the trained model: export again",)


@pytest.mark.parametrize("where", ["manifest.json", "model.onnx", "model.int8.onnx"])
def test_class_names_in_another_order_are_refused(made, verify_bundle, bundle_copy, where):
    import onnx

    manifest = made.bundle.opened().manifest
    names = tuple(reversed(manifest.labels))
    if where == "manifest.json":
        manifest = replace(manifest, labels=names)
    else:
        model = onnx.load(bundle_copy / where)
        entry = next(entry for entry in model.metadata_props if entry.key == "labels")
        entry.value = json.dumps(names)
        (bundle_copy / where).write_bytes(model.SerializeToString())
    refused = verify_bundle(seal_again(bundle_copy, manifest))
    (reason,) = refused.reasons
    assert reason.startswith(f"{where} has the class names corner, left, ring, cross, bar, in another order")


def test_model_that_onnx_checker_refuses_is_refused(made, verify_bundle, bundle_copy):
    import onnx

    model = onnx.load(bundle_copy / "model.onnx")
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5
    (bundle_copy / "model.onnx").write_bytes(model.SerializeToString())
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert any(reason.startswith("onnx.checker refuses the model") for reason in refused.reasons)


def test_model_that_onnxruntime_accepts_and_the_onnx_checker_refuses_is_refused(made, verify_bundle, bundle_copy):
    import onnx

    model = onnx.load(bundle_copy / "model.onnx")
    model.graph.name = ""
    (bundle_copy / "model.onnx").write_bytes(model.SerializeToString())
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert reason.startswith("onnx.checker refuses the model")


def test_model_that_onnxruntime_cannot_load_is_refused(made, verify_bundle, bundle_copy):
    content = (bundle_copy / "model.onnx").read_bytes()
    (bundle_copy / "model.onnx").write_bytes(content.replace(b"Softmax", b"Softmix"))
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert not refused.passed
    assert "onnxruntime cannot load or run the model" in refused.reasons[0]
    assert (refused.correct, refused.max_difference) == (0, None)


def test_sample_with_other_probabilities_is_refused(made, verify_bundle, bundle_copy):
    answers = np.load(bundle_copy / "sample/probabilities.npy")
    np.save(bundle_copy / "sample/probabilities.npy", answers[::-1])
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert "of the sample is" in reason
