"""scorer: the predictions of onnxruntime, compared with onnx's reference evaluator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import version_converter
from onnx.reference import ReferenceEvaluator

from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import write_manifest
from serving.errors import BeamlineError, BundleError, InputError
from serving.scoring import scorer as scorer_module
from serving.scoring.network import Network, batch_size_for
from serving.scoring.scorer import Scorer, Scores
from tests.serving.tiny_bundle import LEFT_OUT, SHAPE, random_images, random_weights


def reference(bundle, images):
    """float32 (n, classes), by onnx's reference evaluator."""
    (probabilities,) = ReferenceEvaluator(str(bundle.path / "model.onnx")).run(["probabilities"], {"images": images})
    return probabilities


def test_scores_are_those_of_the_reference_evaluator(sealed):
    images = random_images(500)
    expected = reference(sealed, images)
    scores = Scorer(sealed).score(images)
    assert (scores.labels.dtype, scores.labels.shape) == (np.int64, (500,))
    assert (scores.probabilities.dtype, scores.probabilities.shape) == (np.float32, (500, 4))
    np.testing.assert_array_equal(scores.labels, expected.argmax(axis=1))
    np.testing.assert_allclose(scores.probabilities, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(scores.confidences, np.sort(expected, axis=1)[:, -1], rtol=0, atol=1e-6)
    assert scores.confidences.dtype == np.float32
    assert set(scores.labels.tolist()) == {0, 1, 2, 3}


def test_int8_scores_are_those_of_the_int8_model(seal):
    bundle = seal(int8=True)
    images = random_images(500)
    # The first opset that the evaluator supports completely.
    defined = version_converter.convert_version(onnx.load(bundle.path / "model.int8.onnx"), 19)
    (expected,) = ReferenceEvaluator(defined).run(["probabilities"], {"images": images})
    scores = Scorer(bundle, precision="int8").score(images)
    np.testing.assert_allclose(scores.probabilities, expected, rtol=0, atol=1e-6)
    assert 1e-5 < np.abs(scores.probabilities - reference(bundle, images)).max() < 0.05


def test_int8_of_a_bundle_without_it_is_refused_with_the_reason(sealed):
    with pytest.raises(InputError) as caught:
        Scorer(sealed, precision="int8")
    assert str(caught.value) == (
        f"--precision int8: {sealed.path} has no int8 model ({LEFT_OUT}): score with --precision float32"
    )


def test_int8_model_that_changed_after_loading_is_not_used(seal):
    bundle = seal(int8=True)
    (bundle.path / "model.int8.onnx").write_bytes((bundle.path / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"model\.int8\.onnx"):
        Scorer(bundle, precision="int8")


@pytest.mark.parametrize("batch_size", [1, 7, 64, 100, 1000])
def test_batch_size_does_not_change_the_predictions(sealed, batch_size):
    images = random_images(100)
    expected = reference(sealed, images)
    scores = Scorer(sealed, batch_size=batch_size).score(images)
    np.testing.assert_array_equal(scores.labels, expected.argmax(axis=1))
    np.testing.assert_allclose(scores.probabilities, expected, rtol=0, atol=1e-6)


def test_view_of_images_is_scored_as_its_copy(sealed):
    images = random_images(60)[::-2, ::-1]
    expected = reference(sealed, images.copy())
    np.testing.assert_array_equal(Scorer(sealed).score(images).labels, expected.argmax(axis=1))


@pytest.mark.parametrize("batch_size", [None, 1, 7, 64])
def test_probabilities_do_not_depend_on_the_other_images_to_the_last_bit(sealed, batch_size):
    images = random_images(300)
    scorer = Scorer(sealed, batch_size=batch_size)
    whole = scorer.score(images).probabilities
    np.testing.assert_array_equal(scorer.score(images[::-1]).probabilities, whole[::-1])
    for rows in (slice(0, 1), slice(299, 300), slice(3, 8), slice(100, 230)):
        np.testing.assert_array_equal(scorer.score(images[rows]).probabilities, whole[rows])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_number_of_threads_does_not_change_a_bit(sealed, threads):
    images = random_images(501)
    scorer = Scorer(sealed, threads=threads, batch_size=20)
    scores = scorer.score(images)
    np.testing.assert_array_equal(scores.probabilities, Scorer(sealed, batch_size=20).score_here(images).probabilities)
    np.testing.assert_array_equal(scores.labels, scores.probabilities.argmax(axis=1))


def test_top_classes_are_ranked_and_equals_keep_their_order():
    probabilities = np.array([[0.1, 0.6, 0.3], [0.4, 0.2, 0.4], [1 / 3] * 3], np.float32)
    scores = Scores(probabilities.argmax(axis=1), probabilities)
    assert scores.top(3).tolist() == [[1, 2, 0], [0, 2, 1], [0, 1, 2]]
    assert scores.top(1)[:, 0].tolist() == scores.labels.tolist()


def test_no_images_have_no_scores(sealed):
    scores = Scorer(sealed).score(random_images(0))
    assert scores.labels.shape == scores.confidences.shape == (0,)
    assert scores.probabilities.shape == (0, 4)


@pytest.mark.parametrize(
    "images",
    [
        random_images(2).astype(np.float32),
        random_images(2).astype(np.int8),
        random_images(2) > 0,
        random_images(2)[0],
        random_images(2).reshape(2, 24),
        random_images(2).reshape(2, 3, 4, 2),
        random_images(2)[..., :1],
    ],
)
def test_other_dtypes_and_shapes_are_refused(sealed, images):
    with pytest.raises(InputError, match="model takes uint8") as caught:
        Scorer(sealed).score(images)
    assert f"images are {images.dtype} {images.shape}" in str(caught.value)
    assert "(n, 4, 3, 2)" in str(caught.value)


def test_threads_may_share_one_scorer(sealed):
    scorer = Scorer(sealed, batch_size=16)
    sets = [random_images(50 + seed, seed=seed) for seed in range(24)]
    with ThreadPoolExecutor(6) as pool:
        scored = list(pool.map(scorer.score, sets))
    for images, scores in zip(sets, scored, strict=True):
        expected = reference(sealed, images)
        np.testing.assert_array_equal(scores.labels, expected.argmax(axis=1))
        np.testing.assert_allclose(scores.probabilities, expected, rtol=0, atol=1e-6)


def test_model_that_changed_after_loading_is_not_used(sealed, seal):
    other = seal(seed=1)
    (sealed.path / "model.onnx").write_bytes((other.path / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"model\.onnx"):
        Scorer(sealed)


@pytest.fixture
def session(monkeypatch):
    """Records the arguments of onnxruntime's session, and the sizes of its batches."""

    class Session(onnxruntime.InferenceSession):
        given: dict = {}  # noqa: RUF012
        batches: list = []  # noqa: RUF012

        def __init__(self, model, options, **options_by_name):
            self.given.update(options_by_name, model=model, threads=options.intra_op_num_threads)
            super().__init__(model, options, **options_by_name)

        def run(self, outputs, feeds):
            self.batches.append(len(feeds["images"]))
            return super().run(outputs, feeds)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    return Session


def test_images_are_scored_in_batches(sealed, session):
    Scorer(sealed, batch_size=40).score(random_images(100))
    assert session.batches == [40, 40, 40]


def test_threads_share_the_images_evenly(sealed, monkeypatch):
    parts = []
    here = Scorer.score_here
    monkeypatch.setattr(Scorer, "score_here", lambda scorer, images: parts.append(len(images)) or here(scorer, images))
    Scorer(sealed, threads=3, batch_size=20).score(random_images(201))
    assert sorted(parts) == [41, 80, 80]


def test_session_loads_checked_bytes_and_runs_on_the_calling_thread(sealed, session):
    Scorer(sealed, threads=2)
    assert session.given == {"model": sealed.read("model.onnx"), "providers": ["CPUExecutionProvider"], "threads": 1}


@pytest.mark.parametrize(
    ("image_shape", "float32", "int8"),
    [
        ((28, 28, 1), 256, 1024),
        ((1, 1, 1), 256, 1024),
        ((32, 32, 3), 256, 341),
        ((224, 224, 3), 6, 6),
        ((4000, 3000, 3), 1, 1),
    ],
)
def test_batches_suit_the_size_of_the_images_and_of_the_numbers(image_shape, float32, int8):
    assert batch_size_for(image_shape) == batch_size_for(image_shape, "float32") == float32
    assert batch_size_for(image_shape, "int8") == int8


def test_nan_is_never_returned(seal):
    weights = random_weights(SHAPE, 4, 0)
    weights[0, 2] = np.nan
    with pytest.raises(
        BeamlineError, match=r"sealed/0: the model returned NaN for 3 of 3 images: score with another version, or"
    ):
        Scorer(seal(weights=weights)).score(random_images(3))


def test_network_needs_no_bundle(sealed):
    images = random_images(100)
    probabilities = Network(sealed.read("model.onnx")).probabilities(images, batch_size=30)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, reference(sealed, images), rtol=0, atol=1e-6)


def test_default_number_of_threads_is_the_usable_processors(sealed, monkeypatch):
    monkeypatch.setattr(scorer_module, "usable_processors", lambda: 3)
    assert Scorer(sealed).threads == 3
    assert Scorer(sealed, threads=5).threads == 5


def test_error_of_onnxruntime_names_the_bundle(sealed):
    content = (sealed.path / "model.onnx").read_bytes()
    (sealed.path / "model.onnx").write_bytes(content.replace(b"Softmax", b"Softmix"))
    (sealed.path / "manifest.json").unlink()
    write_manifest(sealed.path, sealed.manifest)
    with pytest.raises(BeamlineError, match=r"sealed/0: onnxruntime cannot load or run the model .*Softmix"):
        Scorer(load_bundle(sealed.path))
