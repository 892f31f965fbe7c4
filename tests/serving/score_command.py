"""Checks of the command `batch_score` for its tests."""

from __future__ import annotations

from onnx.reference import ReferenceEvaluator


def expected_labels(promoted, images):
    (probabilities,) = ReferenceEvaluator(str(promoted.path / "model.onnx")).run(None, {"images": images})
    return probabilities.argmax(axis=1)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_refused(result, exit_code, message):
    code, out, stderr = result
    assert (code, out) == (exit_code, "")
    assert stderr.startswith("batch_score: ")
    assert message in stderr
    assert stderr.endswith("\n")
    assert stderr.count("\n") == 1
