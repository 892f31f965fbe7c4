"""On MNIST, with each network: the test images have not drifted, and changed images have."""

from __future__ import annotations

import numpy as np
import pytest

from tests.e2e.drifted import wrong_verdicts

pytestmark = pytest.mark.exhaustive

RECIPES = {
    "linear": ("--preset", "linear", "--train.epochs", "1"),
    "cnn": ("--preset", "cnn", "--train.epochs", "1"),
    "another seed": ("--seed", "11"),
    "by heart": ("--train.epochs", "15"),
}


@pytest.fixture(scope="module")
def project(promoted_mnist, tmp_path_factory):
    return promoted_mnist.copied(tmp_path_factory.mktemp("drift") / "beamline")


@pytest.mark.parametrize("recipe", RECIPES)
def test_test_images_have_not_drifted_and_changed_ones_have(project, mnist_dir, mnist_data_dir, recipe):
    mnist = ("--dataset", "mnist", "--manual-dir", str(mnist_dir), "--data-dir", str(mnist_data_dir))
    name = recipe.replace(" ", "-")
    done = project.command(
        "pipeline", "run", *mnist, *RECIPES[recipe], "--model", name, "--evaluate.min-accuracy", "0.85"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sampled = project.command("pipeline", "sample", *mnist, "--out", "images.npy")
    assert sampled.returncode == 0, sampled.stderr
    images, labels = (np.load(project.folder / file) for file in ("images.npy", "images.labels.npy"))
    assert wrong_verdicts(project.folder / "models" / name / "1", images, labels) == []
