"""trial: a bundle that does not answer its own sample may not serve, though every byte is as it was sealed."""

from __future__ import annotations

import numpy as np
import pytest

from serving import bundle
from serving.errors import BundleError
from serving.trial import require_answers


def sealed_again(sealed):
    (sealed.path / "manifest.json").unlink()
    bundle.write_manifest(sealed.path, sealed.manifest)
    return bundle.load(sealed.path)


def refused(sealed, words):
    with pytest.raises(BundleError, match=words):
        require_answers(sealed_again(sealed))


def test_bundle_that_answers_as_numpy_does_is_taken(sealed):
    require_answers(sealed)


@pytest.mark.parametrize("name", ["sample/images.npy", "sample/probabilities.npy"])
def test_bundle_without_a_sample_is_refused(sealed, name):
    (sealed.path / name).unlink()
    refused(sealed, f"it holds no {name}")


def test_other_answers_are_refused_with_the_difference(sealed):
    file = sealed.path / "sample/probabilities.npy"
    answers = np.load(file)
    answers[3, 2] += 0.25
    np.save(file, answers)
    refused(sealed, r"answered differently here, by up to 2\.5e-01")


def test_answers_that_are_no_numbers_are_refused(sealed):
    file = sealed.path / "sample/probabilities.npy"
    np.save(file, np.full_like(np.load(file), np.nan))
    refused(sealed, "answered differently here")


def test_answers_of_another_shape_are_refused(sealed):
    file = sealed.path / "sample/probabilities.npy"
    np.save(file, np.load(file)[:, :3])
    refused(sealed, r"its sample holds answers \(5, 3\), it gives \(5, 4\)")


def test_model_that_onnxruntime_does_not_take_is_refused(sealed):
    content = (sealed.path / "model.onnx").read_bytes()
    (sealed.path / "model.onnx").write_bytes(content.replace(b"Softmax", b"Softmix"))
    refused(sealed, "onnxruntime cannot score it")
