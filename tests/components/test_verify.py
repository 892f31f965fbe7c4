"""verify: a bundle that answers otherwise than the trained model is refused, whatever its checksums say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import serving.bundle
from components import fresh_process, verify
from components.agreement import compare
from components.artifacts.bundle import Bundle
from components.artifacts.verification import Measured, Verification
from components.saved_model import serving_module, write_saved_model
from components.verify import Params, limit_rules
from serving.errors import InputError


@pytest.fixture
def run(made, tmp_path):
    """Verifies a bundle against the trained model of the small set."""

    def verified(bundle, params=None, **changes):
        out = tmp_path / "out"
        out.mkdir()
        evaluation = replace(made.evaluation, **changes)
        return verify.run(made.model, made.transform, bundle, made.examples, evaluation, params or Params(), out)

    return verified


@pytest.fixture
def copied(made, tmp_path):
    """The bundle's files, to be changed."""
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    return tmp_path / "bundle"


def change_weights(folder, change, shape=(16, 4)):
    """Puts the last layer's weights in model.onnx, or those of another shape, through a function."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(folder / "model.onnx")
    tensor = [tensor for tensor in model.graph.initializer if tuple(tensor.dims) == shape][-1]
    values = numpy_helper.to_array(tensor).copy()
    change(values)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


def sealed_again(folder, manifest):
    (folder / "manifest.json").unlink()
    serving.bundle.write_manifest(folder, manifest)
    return Bundle.load(folder)


def test_exported_bundle_passes_and_leaves_its_verdict_alone(made, verification):
    assert verification.passed
    assert verification.bundle_sha256 == made.bundle.sha256
    assert (verification.rows, verification.correct) == (200, made.evaluation.correct)
    assert verification.disagreements == ()
    assert 0 <= verification.max_difference <= 1e-5
    assert "agree on 200 of 200 test images" in verification.reasons[0]
    assert sorted(file.name for file in verification.path.iterdir()) == ["measured.json", "verification.json"]
    assert Verification.load(verification.path) == verification


def test_changed_file_is_refused_by_its_name(run, copied):
    change_weights(copied, lambda values: values.__setitem__((0, 0), values[0, 0] + 1))
    refused = run(Bundle.load(copied))
    assert not refused.passed
    assert "model.onnx" in refused.reasons[0]
    assert [file.name for file in refused.path.iterdir()] == ["verification.json"]


def test_one_changed_onnx_weight_is_refused_though_the_seal_is_whole(made, run, copied):
    change_weights(copied, lambda bias: bias.__setitem__(0, bias[0] + 0.5), shape=(4,))
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert not refused.passed
    assert any("differ by up to" in reason or "disagreements" in reason for reason in refused.reasons)
    assert refused.max_difference > 1e-5


def test_onnx_that_answers_other_classes_is_refused_with_the_rows(made, run, copied):
    change_weights(copied, lambda values: values.__imul__(-1))
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert not refused.passed
    assert refused.disagreements
    assert "disagreements with a margin" in refused.reasons[0]
    assert any(reason.startswith("ONNX: accuracy") for reason in refused.reasons)


def test_nan_in_the_onnx_weights_is_refused(made, run, copied):
    change_weights(copied, lambda values: values.fill(np.nan))
    assert not run(sealed_again(copied, made.bundle.opened().manifest)).passed


def test_other_saved_model_is_refused_though_onnx_is_right(
    made, run, copied, tmp_path, write_untrained, unit_transform
):
    (tmp_path / "model").mkdir()
    other = write_untrained(tmp_path / "model", (8, 8, 1), 4, hidden=(16,))
    shutil.rmtree(copied / "variables")
    write_saved_model(serving_module(other, unit_transform(1, 4), (8, 8, 1)), copied)
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert not refused.passed
    assert "SavedModel" in refused.disagreements[0]
    assert refused.correct == made.evaluation.correct


def test_accuracy_of_the_onnx_file_below_the_gate_is_refused(made, run):
    refused = run(made.bundle, min_accuracy=0.9999)
    assert not refused.passed
    assert [reason[: len("ONNX: accuracy")] for reason in refused.reasons] == ["ONNX: accuracy", "int8: accuracy"]
    assert "< 0.9999" in refused.reasons[0]


def test_bundle_that_a_fresh_process_cannot_score_is_refused(made, run, monkeypatch):
    monkeypatch.setattr(fresh_process, "FRESH_PROCESS", "import sys; sys.exit('no such model')")
    refused = run(made.bundle)
    assert not refused.passed
    assert refused.reasons == ("a process without TensorFlow cannot score the bundle: no such model",)
    assert [file.name for file in refused.path.iterdir()] == ["verification.json"]


def test_bundle_that_a_fresh_process_scores_otherwise_is_refused(made, run, monkeypatch):
    wrong = (
        "import json, sys, numpy; numpy.save(sys.argv[-1], numpy.zeros((200, 4), 'float32'));"
        "took = {'load_seconds': 0.1, 'images_per_second': 2.0, 'peak_memory_bytes': 3};"
        "json.dump(took, open(sys.argv[-1] + '.json', 'w'))"
    )
    monkeypatch.setattr(fresh_process, "FRESH_PROCESS", wrong)
    refused = run(made.bundle)
    assert not refused.passed
    assert "scores differently, by up to" in refused.reasons[0]
    assert sorted(file.name for file in refused.path.iterdir()) == ["measured.json", "verification.json"]


@pytest.mark.parametrize("library", ["tensorflow", "keras", "apache_beam", "tensorflow_datasets"])
def test_fresh_process_cannot_import_the_training_libraries(tmp_path, library):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/__init__.py").touch()
    (tmp_path / "serving/batch_score.py").write_text(f"import {library}\n\ndef main():\n    return 0\n")
    command = [sys.executable, "-c", fresh_process.FRESH_PROCESS]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{library} is blocked here" in done.stderr


def test_fresh_process_takes_our_scorer_whatever_stands_in_the_current_folder(made, run, tmp_path, monkeypatch):
    (tmp_path / "elsewhere/serving").mkdir(parents=True)
    (tmp_path / "elsewhere/serving/__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(made.bundle).passed


def test_every_rule_is_kept_with_its_words(verification):
    names = [rule.name for rule in verification.rules]
    assert names == [
        *("classes", "probabilities", "batches", "fresh process", "checker", "ONNX accuracy"),
        *("int8", "int8 accuracy", "sample"),
    ]
    assert all(rule.passed for rule in verification.rules)


def test_what_scoring_took_is_kept_beside_what_is_digested(verification):
    took = verification.measured()
    assert 0 < took.load_seconds < 60
    assert took.images_per_second > 1
    assert 10e6 < took.peak_memory_bytes < 1e9
    assert f"{took.images_per_second:,.0f} images/s" in verification.summary()
    assert "images_per_second" not in (verification.path / "verification.json").read_text()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"max_load_seconds": 1e-9}, "load time"),
        ({"min_images_per_second": 1e12}, "rate"),
        ({"max_memory_mb": 1e-3}, "memory"),
    ],
)
def test_limit_that_is_missed_refuses_with_the_figure(made, run, limit, words):
    refused = run(made.bundle, params=Params(**limit))
    assert not refused.passed
    assert len(refused.reasons) == 1
    assert refused.reasons[0].startswith(f"{words} ")
    assert "is allowed" in refused.reasons[0]


def test_limits_that_hold_leave_no_figure_that_differs_each_time():
    measured = Measured(load_seconds=0.123456, images_per_second=54_321.9, peak_memory_bytes=98_765_432)
    rules = limit_rules(measured, Params(max_load_seconds=1, min_images_per_second=1000, max_memory_mb=200))
    assert [(rule.name, rule.passed, rule.words) for rule in rules] == [
        ("load time", True, "load time at most 1 s"),
        ("rate", True, "rate at least 1000 images/s"),
        ("memory", True, "memory at most 200 MB"),
    ]
    assert limit_rules(measured, Params()) == []


@pytest.mark.parametrize("name", ["max_load_seconds", "min_images_per_second", "max_memory_mb"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limit_that_limits_nothing_is_refused(name, value):
    with pytest.raises(InputError, match=f"--verify.{name.replace('_', '-')}"):
        Params(**{name: value})


def test_limit_that_is_just_kept_holds():
    measured = Measured(load_seconds=0.5, images_per_second=1000, peak_memory_bytes=200_000_000)
    rules = limit_rules(measured, Params(max_load_seconds=0.5, min_images_per_second=1000, max_memory_mb=200))
    assert [rule.passed for rule in rules] == [True] * 3


@pytest.mark.parametrize("name", ["margin", "tolerance"])
@pytest.mark.parametrize("value", [-1e-9, 2e-3, float("nan")])
def test_closeness_that_would_verify_nothing_is_refused(name, value):
    with pytest.raises(InputError, match=f"--verify.{name} "):
        Params(**{name: value})


def test_process_without_images_is_refused():
    with pytest.raises(InputError, match=r"--verify\.fresh-rows 0: give 1 or more"):
        Params(fresh_rows=0)


def test_difference_of_a_ten_thousandth_is_refused_where_nobody_says_otherwise(made, run, copied):
    change_weights(copied, lambda bias: bias.__setitem__(0, bias[0] + 5e-4), shape=(4,))
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert 2e-5 < refused.max_difference < 1e-3
    assert [rule.name for rule in refused.rules if not rule.passed] == ["probabilities"]


@pytest.mark.parametrize(("slope", "passes"), [(1e-4, False), (8e-6, True)])
def test_saved_model_that_answers_small_batches_otherwise_is_refused(made, run, copied, slope, passes):
    import tensorflow as tf

    module = serving_module(made.model, made.transform, made.examples.image_shape)
    answer = module.serve

    def of_a_batch(images):
        probabilities = answer(images)["probabilities"]
        shift = slope * tf.reduce_mean(probabilities[:, 0]) * tf.constant([1.0, -1.0, 0.0, 0.0])
        return {"probabilities": probabilities + shift}

    module.serve = tf.function(of_a_batch, input_signature=answer.input_signature)
    shutil.rmtree(copied / "variables")
    write_saved_model(module, copied)
    judged = run(sealed_again(copied, made.bundle.opened().manifest), params=Params(tolerance=1e-3))
    (rule,) = [rule for rule in judged.rules if rule.name == "batches"]
    assert rule.passed is judged.passed is passes
    said = (
        "in batches of 1 and 7 too, |Δp| ≤ " if passes else "batches of 1 and 7 are answered otherwise than large ones"
    )
    assert rule.words.startswith(said)
    # What serves is held to less than this.
    assert not passes or float(rule.words.removeprefix(said)) > 1e-6


def add_batch_mean(folder, label=0, above=0.0, slope=1e-4):
    """Adds a batch's mean to its rows, right for no batch and other for each size: to those surer of a label alone."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(folder / "model.onnx")
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    output = softmax.output[0]
    softmax.output[0] = "alone"
    constants = {"of_label": np.array([label]), "above": np.float32(above), "slope": np.float32([[slope, 0, 0, 0]])}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items())
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["alone"], ["of_batch"], axes=[0], keepdims=1),
            helper.make_node("Gather", ["alone", "of_label"], ["sure"], axis=1),
            helper.make_node("Sub", ["sure", "above"], ["more"]),
            helper.make_node("Relu", ["more"], ["only_more"]),
            helper.make_node("Mul", ["of_batch", "slope"], ["a_little"]),
            helper.make_node("Mul", ["a_little", "only_more"], ["shift"]),
            helper.make_node("Add", ["alone", "shift"], [output]),
        ]
    )
    (folder / "model.onnx").write_bytes(model.SerializeToString())


@pytest.mark.parametrize("slope", [1e-4, 8e-6])
def test_model_that_answers_small_batches_otherwise_is_refused(made, run, copied, slope):
    add_batch_mean(copied, slope=slope)
    refused = run(sealed_again(copied, made.bundle.opened().manifest), params=Params(tolerance=1e-3))
    (reason,) = refused.reasons
    assert reason.startswith("batches of 1 and 7 are answered otherwise than large ones, by up to Keras")


def test_every_test_image_is_scored_in_small_batches_with_onnx(made, run, copied):
    probabilities = made.evaluation.probabilities()
    first, later = probabilities[:100].max(axis=0), probabilities[100:].max(axis=0)
    label = int((later - first).argmax())
    gap = float(later[label] - first[label])
    assert gap > 1e-6
    add_batch_mean(copied, label, above=first[label] + gap / 2, slope=1e-3 / gap)
    refused = run(sealed_again(copied, made.bundle.opened().manifest), params=Params(tolerance=1e-3))
    assert [rule.name for rule in refused.rules if not rule.passed] == ["batches"]


@pytest.mark.parametrize(("apart", "refused"), [(5e-6, False), (1.5e-5, True)])
def test_disagreement_of_a_hundred_thousandth_is_refused_where_nobody_says_otherwise(apart, refused):
    sure = np.array([[0.5 + apart / 2, 0.5 - apart / 2]], np.float32)
    classes, _ = compare({"Keras": sure, "ONNX": sure[:, ::-1]}, Params().margin, Params().tolerance).rules
    assert classes.passed is not refused


def test_model_that_onnx_checker_refuses_is_refused(made, run, copied):
    import onnx

    model = onnx.load(copied / "model.onnx")
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5
    (copied / "model.onnx").write_bytes(model.SerializeToString())
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert any(reason.startswith("onnx.checker refuses the model") for reason in refused.reasons)


def test_model_that_onnxruntime_takes_and_the_format_does_not_is_refused(made, run, copied):
    import onnx

    model = onnx.load(copied / "model.onnx")
    model.graph.name = ""
    (copied / "model.onnx").write_bytes(model.SerializeToString())
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert reason.startswith("onnx.checker refuses the model")


def test_model_that_onnxruntime_cannot_load_is_refused(made, run, copied):
    content = (copied / "model.onnx").read_bytes()
    (copied / "model.onnx").write_bytes(content.replace(b"Softmax", b"Softmix"))
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert not refused.passed
    assert "onnxruntime cannot score it" in refused.reasons[0]
    assert (refused.correct, refused.max_difference) == (0, None)


def test_sample_with_other_answers_is_refused(made, run, copied):
    answers = np.load(copied / "sample/probabilities.npy")
    np.save(copied / "sample/probabilities.npy", answers[::-1])
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert "its stored sample is answered differently" in reason


def test_int8_model_that_is_not_the_one_that_export_judged_is_refused(made, run, copied):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(copied / "model.int8.onnx")
    weights = [tensor for tensor in model.graph.initializer if tuple(tensor.dims) == (16, 4)][-1]
    weights.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights), weights.name))
    (copied / "model.int8.onnx").write_bytes(model.SerializeToString())
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    assert not refused.passed
    assert [rule.name for rule in refused.rules if not rule.passed] == ["int8", "int8 accuracy"]
    assert f"{made.evaluation.correct:,} when it was exported" in refused.reasons[0]


def test_int8_model_that_cannot_be_loaded_is_refused(made, run, copied):
    (copied / "model.int8.onnx").write_bytes((copied / "model.onnx").read_bytes().replace(b"Softmax", b"Softmix"))
    refused = run(sealed_again(copied, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert "onnxruntime cannot score it" in reason


def test_bundle_without_int8_is_verified_without_it(made, run, copied):
    manifest = made.bundle.opened().manifest
    (copied / "model.int8.onnx").unlink()
    without = {**manifest.precisions, "int8": {"left_out": "it lost"}}
    passed = run(sealed_again(copied, replace(manifest, precisions=without)))
    assert passed.passed
    assert not any(rule.name.startswith("int8") for rule in passed.rules)
