"""A promoted bundle answers all of MNIST's test images alike, with each reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from serving.scoring.agreement import used_fraction
from tests.e2e.conftest import Project


@pytest.fixture(scope="module")
def bundles(promoted_cnn, tmp_path_factory):
    """Of the default preset, and of a convolutional network; and the test images."""
    return promoted_cnn.copied(tmp_path_factory.mktemp("bundles") / "beamline")


def saved_model_cli(project: Project, bundle: Path, images: np.ndarray) -> np.ndarray:
    np.save(project.folder / "given.npy", images)
    tool = Path(sys.executable).with_name("saved_model_cli")
    flags = ("--tag_set", "serve", "--signature_def", "serving_default", "--inputs", "images=given.npy")
    done = project.process(str(tool), "run", "--dir", str(bundle), *flags, "--outdir", "answers", "--overwrite")
    assert done.returncode == 0, done.stderr
    return np.load(project.folder / "answers/probabilities.npy")


def saved_model(bundle: Path, images: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(bundle))
    return loaded.signatures["serving_default"](images=tf.constant(images))["probabilities"].numpy()


def bare_onnxruntime(bundle: Path, images: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images})[0]


def reference(bundle: Path, images: np.ndarray) -> np.ndarray:
    evaluator = ReferenceEvaluator(str(bundle / "model.onnx"))
    parts = [evaluator.run(None, {"images": images[start : start + 1000]})[0] for start in range(0, len(images), 1000)]
    return np.concatenate(parts)


@pytest.mark.exhaustive
@pytest.mark.parametrize("model", ["mnist", "cnn"])
def test_four_readers_give_the_same_classes_and_close_probabilities(bundles, model):
    bundle = bundles.folder / "models" / model / "1"
    images = np.load(bundles.folder / "images.npy")
    assert images.shape == (10_000, 28, 28, 1)
    answers = [
        saved_model_cli(bundles, bundle, images),
        saved_model(bundle, images),
        bare_onnxruntime(bundle, images),
        reference(bundle, images),
    ]
    # What the bundle allows for its sample holds for all images, as a fraction; two rounded results may be twice as far
    # apart.
    sample = bundle / "sample"
    fraction = (np.load(sample / "allowed.npy") / np.load(sample / "probabilities.npy")).max()
    allowed = 2 * fraction * answers[0] + 1e-30
    for probabilities in answers:
        assert (probabilities.dtype, probabilities.shape) == (np.float32, (10_000, 10))
        assert np.array_equal(probabilities.argmax(axis=1), answers[0].argmax(axis=1))
        assert used_fraction(probabilities, answers[0], allowed).max() <= 1


@pytest.mark.exhaustive
def test_worse_model_is_refused_with_counts_and_p_and_the_champion_stays(bundles, mnist):
    before = bundles.registry()
    weak = ("--preset", "linear-sigmoid", "--train.epochs", "1", "--evaluate.min-accuracy", "0.5")
    done = bundles.command("pipeline", "run", *mnist, *weak)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "compared with champion version 1 on the same 10,000 test images: " in done.stdout
    assert "significantly worse by more than the margin 0.0043" in done.stdout
    assert bundles.registry() == before


@pytest.mark.exhaustive
def test_each_byte_of_each_file_counts(bundles, tmp_path):
    """One flipped byte in any file of the real bundle: exit code 4, the file's name, and nothing written."""
    project = bundles.copied(tmp_path / "beamline")
    folder = project.folder / "models/mnist/1"
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    assert len(names) >= 7
    for name in names:
        file = folder / name
        whole = file.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 3] ^= 0x10
        file.write_bytes(changed)
        done = project.command("serving.batch_score", "images.npy", "--model", "mnist")
        assert (done.returncode, done.stdout) == (4, ""), name
        assert f" {name} " in done.stderr
        assert not (project.folder / "images.predictions.csv").exists()
        file.write_bytes(whole)
    assert project.command("serving.batch_score", "images.npy", "--model", "mnist").returncode == 0


def test_onnxruntime_is_not_even_loaded_for_a_bundle_that_is_refused(tmp_path):
    from tests.serving import tiny_bundle

    sealed = tiny_bundle.seal(tmp_path / "bundle")
    with (sealed.path / "model.onnx").open("ab") as model:
        model.write(b"more")
    np.save(tmp_path / "images.npy", tiny_bundle.random_images(3))
    code = (
        "import sys\nfrom serving.batch_score import main\ncode = main(sys.argv[1:])\n"
        "assert 'onnxruntime' not in sys.modules\nsys.exit(code)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "images.npy"), "--model", str(sealed.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "model.onnx" in done.stderr
