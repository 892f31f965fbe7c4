"""trial: a bundle that does not answer its own sample may not serve, though every byte is as it was sealed."""

from __future__ import annotations

import os

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


@pytest.mark.parametrize(("difference", "taken"), [(5e-4, True), (2e-3, False)])
def test_answers_may_differ_as_processors_do_and_no_more(sealed, difference, taken):
    file = sealed.path / "sample/probabilities.npy"
    np.save(file, np.load(file) + np.float32(difference))
    if taken:
        require_answers(sealed_again(sealed))
    else:
        refused(sealed, "answered differently here")


class Touches:
    """What runs a program where it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (os.mknod, (self.file,))


@pytest.mark.parametrize("name", ["sample/images.npy", "sample/probabilities.npy"])
def test_sample_that_is_a_program_is_not_run(sealed, tmp_path, name):
    np.save(sealed.path / name, np.array([Touches(str(tmp_path / "run"))], dtype=object), allow_pickle=True)
    with pytest.raises((BundleError, ValueError)):
        require_answers(sealed_again(sealed))
    assert not (tmp_path / "run").exists()


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


def test_sample_that_cannot_be_read_is_refused(sealed):
    (sealed.path / "sample/images.npy").write_bytes(b"no array")
    refused(sealed, "it cannot score its sample")


def test_sample_of_floats_is_refused(sealed):
    file = sealed.path / "sample/images.npy"
    np.save(file, np.load(file) / 255)
    refused(sealed, "it cannot score its sample: images are float64")


def test_sample_without_an_image_is_refused(sealed):
    for name in ("images", "probabilities"):
        file = sealed.path / f"sample/{name}.npy"
        np.save(file, np.load(file)[:0])
    refused(sealed, "its sample holds no image")
