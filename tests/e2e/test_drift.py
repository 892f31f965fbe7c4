"""On MNIST, with each network: the test images have not drifted, and changed images have."""

from __future__ import annotations

import numpy as np
import pytest

from tests.e2e.drifted import wrong_verdicts

pytestmark = pytest.mark.exhaustive

RECIPES = {
    "linear": ("--preset", "linear", "--train.epochs", "1"),
    "another seed": ("--seed", "11"),
    "by heart": ("--train.epochs", "15"),
}


@pytest.fixture(scope="module")
def project(promoted_cnn, tmp_path_factory):
    return promoted_cnn.copied(tmp_path_factory.mktemp("drift") / "beamline")


def require_right_verdicts(project, name):
    images, labels = (np.load(project.folder / file) for file in ("images.npy", "images.labels.npy"))
    assert wrong_verdicts(project.folder / "models" / name / "1", images, labels) == []


def test_convolutional_network(project):
    require_right_verdicts(project, "cnn")


@pytest.mark.parametrize("recipe", RECIPES)
def test_dense_network(project, mnist, recipe):
    name = recipe.replace(" ", "-")
    done = project.command(
        "pipeline", "run", *mnist, *RECIPES[recipe], "--model", name, "--evaluate.min-accuracy", "0.85"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    require_right_verdicts(project, name)
