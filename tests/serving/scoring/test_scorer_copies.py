"""scorer: copies, pickles and children of a fork predict what the scorer predicts."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from serving import Scorer as PromotedScorer
from serving.errors import BundleError
from serving.scoring.scorer import Scorer
from tests.conftest import ROOT
from tests.serving.tiny_bundle import random_images

IMAGES = random_images(300)
SCORE = "import pickle, sys, numpy; scorer, images = pickle.load(sys.stdin.buffer)"
SCORE += "; numpy.save(sys.stdout.buffer, scorer.score(images).probabilities)"


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda scorer: pickle.loads(pickle.dumps(scorer))])
def test_copy_has_the_same_settings_and_predictions(seal, copied, precision):
    scorer = Scorer(seal(int8=True), threads=3, batch_size=20, precision=precision)
    other = copied(scorer)
    assert (other.threads, other.batch_size, other.precision) == (3, 20, precision)
    assert other.bundle == scorer.bundle
    np.testing.assert_array_equal(other.score(IMAGES).probabilities, scorer.score(IMAGES).probabilities)


def test_pickle_scores_in_another_process_and_folder(promoted, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(registry.root)
    pickled = pickle.dumps((PromotedScorer.promoted("tiny", threads=1), IMAGES))
    done = subprocess.run(
        [sys.executable, "-c", SCORE],
        input=pickled,
        stdout=subprocess.PIPE,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    (tmp_path / "scored.npy").write_bytes(done.stdout)
    evaluator = ReferenceEvaluator(str(promoted.path / "model.onnx"))
    (expected,) = evaluator.run(["probabilities"], {"images": IMAGES})
    np.testing.assert_allclose(np.load(tmp_path / "scored.npy"), expected, rtol=0, atol=1e-6)


def test_child_of_a_fork_predicts_the_same_in_another_folder(promoted, registry, tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    done = subprocess.run(
        [sys.executable, "-m", "tests.serving.scoring.forked_scorer", str(tmp_path / "images.npy")],
        stderr=subprocess.PIPE,
        text=True,
        cwd=registry.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_copy_of_a_bundle_that_was_deleted_or_changed_is_refused(sealed):
    copied = copy.deepcopy(Scorer(sealed))
    model = sealed.path / "model.onnx"
    model.write_bytes(model.read_bytes() + b" ")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        copied.score(IMAGES)
    model.unlink()
    with pytest.raises(BundleError, match=r"model\.onnx"):
        copied.score(IMAGES)
