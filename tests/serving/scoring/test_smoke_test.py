"""smoke test: a bundle whose probabilities for its sample differ must not serve, even if every byte is as sealed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import write_manifest
from serving.errors import BundleError
from serving.scoring.smoke_test import run_smoke_test


def sealed_again(sealed):
    (sealed.path / "manifest.json").unlink()
    write_manifest(sealed.path, sealed.manifest)
    return load_bundle(sealed.path)


def refused(sealed, message):
    with pytest.raises(BundleError, match=message):
        run_smoke_test(sealed_again(sealed))


def test_bundle_with_the_probabilities_of_numpy_passes(sealed):
    run_smoke_test(sealed)


@pytest.mark.parametrize("name", ["sample/images.npy", "sample/probabilities.npy"])
def test_bundle_without_a_sample_is_refused(sealed, name):
    (sealed.path / name).unlink()
    refused(sealed, f"it has no {name} for the smoke test")


def test_other_probabilities_are_refused_with_the_difference(sealed):
    file = sealed.path / "sample/probabilities.npy"
    probabilities = np.load(file)
    probabilities[3, 2] += 0.25
    np.save(file, probabilities)
    refused(
        sealed, r"of class 2 for image 3 of the sample is .* rounding allows a difference of 1\.0e-03: do not serve it"
    )


def test_stored_limits_replace_those_of_earlier_releases(sealed):
    probabilities = np.load(sealed.path / "sample/probabilities.npy")
    allowed = np.full_like(probabilities, 1e-6)
    np.save(sealed.path / "sample/allowed.npy", allowed)
    run_smoke_test(sealed_again(sealed))
    probabilities[1, 1] += 1e-4
    np.save(sealed.path / "sample/probabilities.npy", probabilities)
    refused(sealed, r"of class 1 for image 1 of the sample is .* rounding allows a difference of 1\.0e-06")
    allowed[1, 1] = 2e-4
    np.save(sealed.path / "sample/allowed.npy", allowed)
    run_smoke_test(sealed_again(sealed))


def test_limits_of_another_shape_are_refused(sealed):
    np.save(sealed.path / "sample/allowed.npy", np.ones((2, 4), np.float32))
    refused(sealed, r"its sample has limits \(2, 4\), the model returns \(5, 4\): export it again")


@pytest.mark.parametrize(("difference", "passes"), [(5e-4, True), (2e-3, False)])
def test_differences_up_to_the_tolerance_pass(sealed, difference, passes):
    file = sealed.path / "sample/probabilities.npy"
    np.save(file, np.load(file) + np.float32(difference))
    if passes:
        run_smoke_test(sealed_again(sealed))
    else:
        refused(sealed, "for image . of the sample is")


class Touches:
    """Runs a program when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (os.mknod, (self.file,))


@pytest.mark.parametrize("name", ["sample/images.npy", "sample/probabilities.npy"])
def test_pickled_sample_is_not_unpickled(sealed, tmp_path, name):
    np.save(sealed.path / name, np.array([Touches(str(tmp_path / "run"))], dtype=object), allow_pickle=True)
    with pytest.raises((BundleError, ValueError)):
        run_smoke_test(sealed_again(sealed))
    assert not (tmp_path / "run").exists()


def test_nan_is_refused(sealed):
    file = sealed.path / "sample/probabilities.npy"
    np.save(file, np.full_like(np.load(file), np.nan))
    refused(sealed, "of the sample is .*, stored is nan")


def test_probabilities_of_another_shape_are_refused(sealed):
    file = sealed.path / "sample/probabilities.npy"
    np.save(file, np.load(file)[:, :3])
    refused(sealed, r"its sample has probabilities \(5, 3\), the model returns \(5, 4\): export it again")


def test_model_that_onnxruntime_cannot_load_is_refused(sealed):
    content = (sealed.path / "model.onnx").read_bytes()
    (sealed.path / "model.onnx").write_bytes(content.replace(b"Softmax", b"Softmix"))
    refused(sealed, "onnxruntime cannot load or run the model")


def test_sample_that_cannot_be_read_is_refused(sealed):
    (sealed.path / "sample/images.npy").write_bytes(b"no array")
    refused(sealed, "it cannot score its sample")


def test_sample_of_floats_is_refused(sealed):
    file = sealed.path / "sample/images.npy"
    np.save(file, np.load(file) / 255)
    refused(sealed, r"it cannot score its sample \(images are float64")


def test_sample_without_an_image_is_refused(sealed):
    for name in ("images", "probabilities"):
        file = sealed.path / f"sample/{name}.npy"
        np.save(file, np.load(file)[:0])
    refused(sealed, "its sample has no images")
