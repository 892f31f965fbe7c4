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
from components import verify
from components.artifacts.bundle import Bundle
from components.artifacts.verification import Verification
from components.saved_model import serving_module, write_saved_model
from components.verify import Params, compare, largest_difference


@pytest.fixture
def run(made, tmp_path):
    """Verifies a bundle against the trained model of the small set."""

    def verified(bundle, **changes):
        out = tmp_path / "out"
        out.mkdir()
        evaluation = replace(made.evaluation, **changes)
        return verify.run(made.model, made.transform, bundle, made.examples, evaluation, Params(), out)

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
    assert [file.name for file in verification.path.iterdir()] == ["verification.json"]
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
    assert [reason[: len("ONNX: accuracy")] for reason in refused.reasons] == ["ONNX: accuracy"]
    assert "< 0.9999" in refused.reasons[0]


def test_bundle_that_a_fresh_process_cannot_score_is_refused(made, run, monkeypatch):
    monkeypatch.setattr(verify, "FRESH_PROCESS", "import sys; sys.exit('no such model')")
    refused = run(made.bundle)
    assert not refused.passed
    assert refused.reasons == ("a process without TensorFlow cannot score the bundle: no such model",)
    assert [file.name for file in refused.path.iterdir()] == ["verification.json"]


def test_bundle_that_a_fresh_process_scores_otherwise_is_refused(made, run, monkeypatch):
    wrong = "import sys, numpy; numpy.save(sys.argv[-1], numpy.zeros((200, 4), 'float32'))"
    monkeypatch.setattr(verify, "FRESH_PROCESS", wrong)
    refused = run(made.bundle)
    assert not refused.passed
    assert "scores differently, by up to" in refused.reasons[0]
    assert [file.name for file in refused.path.iterdir()] == ["verification.json"]


@pytest.mark.parametrize("library", ["tensorflow", "keras", "apache_beam", "tensorflow_datasets"])
def test_fresh_process_cannot_import_the_training_libraries(tmp_path, library):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/__init__.py").touch()
    (tmp_path / "serving/batch_score.py").write_text(f"import {library}\n\ndef main():\n    return 0\n")
    command = [sys.executable, "-c", verify.FRESH_PROCESS]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{library} is blocked here" in done.stderr


def test_fresh_process_takes_our_scorer_whatever_stands_in_the_current_folder(made, run, tmp_path, monkeypatch):
    (tmp_path / "elsewhere/serving").mkdir(parents=True)
    (tmp_path / "elsewhere/serving/__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(made.bundle).passed


def answers(**rows):
    return {name: np.array(probabilities, np.float32) for name, probabilities in rows.items()}


def test_equal_answers_have_no_trouble():
    same = [[0.25, 0.75], [0.5, 0.5]]
    assert compare(answers(keras=same, onnx=same), 1e-5, 1e-5) == ((), ())


def test_disagreement_below_the_margin_is_listed_and_does_not_refuse():
    listed, refusing = compare(
        answers(keras=[[0.9, 0.1], [0.500001, 0.499999]], onnx=[[0.9, 0.1], [0.499999, 0.500001]]), 1e-5, 1e-5
    )
    assert refusing == ()
    assert len(listed) == 1
    assert "test image 1: keras 0, onnx 1" in listed[0]


def test_disagreement_above_the_margin_refuses():
    pair = answers(keras=[[0.501, 0.499]], onnx=[[0.499, 0.501]])
    listed, refusing = compare(pair, 1e-5, 1.0)
    assert len(listed) == len(refusing) == 1
    assert "1 disagreements with a margin" in refusing[0]
    assert compare(pair, 0.01, 1.0)[1] == ()


def test_one_sure_implementation_suffices_for_a_margin():
    pair = answers(keras=[[0.500001, 0.499999]], onnx=[[0.4, 0.6]])
    assert "disagreements" in compare(pair, 1e-5, 1.0)[1][0]


def test_difference_above_the_tolerance_refuses_though_classes_agree():
    pair = answers(keras=[[0.9, 0.1]], onnx=[[0.8999, 0.1001]])
    listed, refusing = compare(pair, 1e-5, 1e-5)
    assert listed == ()
    assert refusing == ("probabilities differ by up to 1.0e-04 > 1e-05",)
    assert compare(pair, 1e-5, 1e-3) == ((), ())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answer_that_is_no_number_refuses(value):
    both = [[value, 0.5]]
    assert largest_difference(answers(keras=both, onnx=both)) == np.inf
    assert compare(answers(keras=both, onnx=both), 1e-5, 1.0)[1]
