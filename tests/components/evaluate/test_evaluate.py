"""evaluate: the figures of a model, against Keras."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.artifact import RuleResult
from components.evaluate import evaluate, predict
from components.evaluate.calibration import cross_entropy
from components.evaluate.evaluate import Params
from serving.errors import BeamlineError, InputError


@pytest.mark.parametrize("name", ["min_accuracy", "min_recall"])
@pytest.mark.parametrize("limit", [97, -0.1, 1.000001, float("nan")])
def test_a_limit_must_be_a_fraction(name, limit):
    flag = f"--evaluate.{name.replace('_', '-')}"
    with pytest.raises(InputError, match=f"^{flag} {limit}: give 0 to 1$"):
        Params(**{name: limit})
    for whole in (None, 0, 1):
        Params(**{name: whole})


def test_the_summary_shows_every_rule_and_the_refusals(made):
    evaluation = replace(
        made.evaluation,
        loss=0.07,
        calibration_error=0.0123,
        rules=(RuleResult("accuracy", True, "0.9 ≥ 0.8"), RuleResult("recall", False, "0.7 < 0.8")),
    )
    assert evaluation.summary() == "0.9 ≥ 0.8; refused: 0.7 < 0.8; loss 0.0700, calibration error 0.0123"
    alone = replace(evaluation, rules=evaluation.rules[1:])
    assert alone.summary() == "0.7 < 0.8; loss 0.0700, calibration error 0.0123"


def test_the_loss_is_the_cross_entropy_of_keras():
    import keras

    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(5), 200).astype(np.float32)
    labels = random.integers(0, 5, 200)
    expected = keras.losses.sparse_categorical_crossentropy(labels, probabilities).numpy().mean()
    assert cross_entropy(probabilities, labels) == pytest.approx(expected, rel=1e-5)


def test_the_figures_are_those_that_keras_evaluates(made):
    model = made.model.keras_model()
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    images = np.concatenate([made.examples.images(block) for block in made.examples.blocks["test"]])
    loss, accuracy = model.evaluate(images / np.float32(255), made.examples.all_labels("test"), verbose=0)
    evaluation = made.evaluation
    assert evaluation.accuracy == pytest.approx(accuracy)
    assert evaluation.loss == pytest.approx(loss, rel=1e-4)
    assert sum(map(sum, evaluation.confusion)) == evaluation.rows == 200
    assert sum(evaluation.confusion[k][k] for k in range(4)) == evaluation.correct
    assert evaluation.passed
    reread = evaluate.Evaluation.load(evaluation.path)
    assert reread == evaluation
    expected = model.predict(images / np.float32(255), verbose=0)
    assert reread.probabilities() == pytest.approx(expected, abs=1e-6)
    assert (reread.predictions() == expected.argmax(axis=1)).all()


def test_the_figures_of_the_classes_are_those_of_keras(made):
    import keras

    evaluation, labels = made.evaluation, made.examples.all_labels("test")
    outcomes = (keras.utils.to_categorical(labels, 4), keras.utils.to_categorical(evaluation.predictions(), 4))
    f1 = keras.metrics.F1Score()
    f1.update_state(*outcomes)
    assert [figures.f1.value for figures in evaluation.classes] == pytest.approx(f1.result().numpy().tolist())
    for kind, name in ((keras.metrics.Precision, "precision"), (keras.metrics.Recall, "recall")):
        for label, figures in enumerate(evaluation.classes):
            metric = kind(class_id=label)
            metric.update_state(*outcomes)
            assert getattr(figures, name).value == pytest.approx(float(metric.result()))
    assert [figures.name for figures in evaluation.classes] == list(made.examples.class_names)
    assert sum(found.rows for found in evaluation.calibration) == 200


def test_the_evaluation_has_the_digests_of_weights_images_and_probabilities(made):
    values = json.loads((made.evaluation.path / "evaluation.json").read_text())
    files = sorted(made.model.path.glob("weights-*.npy"))
    assert values["weights_sha256"] == hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    assert values["test_sha256"] == made.examples.sha256("test")
    answers = np.load(made.evaluation.path / "probabilities.npy")
    assert values["probabilities_sha256"] == hashlib.sha256(answers.astype("<f4").tobytes("C")).hexdigest()


def test_a_refused_evaluation_has_all_its_figures(made, tmp_path):
    refused = evaluate.run(made.evaluation, made.examples, Params(0.9, min_recall=0.99), tmp_path)
    assert not refused.passed
    assert refused.reasons == (refused.rules[1].message,)
    assert refused.rules[0].message in refused.summary()
    assert f"refused: {refused.rules[1].message}" in refused.summary()
    assert evaluate.Evaluation.load(tmp_path) == refused
    gate_fields = ("min_recall", "rules", "passed", "reasons", "path")
    expected = {name: value for name, value in vars(made.evaluation).items() if name not in gate_fields}
    assert {name: value for name, value in vars(refused).items() if name not in gate_fields} == expected


def test_a_model_that_returns_nan_is_an_error(made, tmp_path):
    broken = tmp_path / "model"
    shutil.copytree(made.model.path, broken)
    last = max(broken.glob("weights-*.npy"))
    np.save(last, np.full_like(np.load(last), np.nan))
    with pytest.raises(BeamlineError, match=r"returned NaN for 200 of 200 test images \(first: row 0\)"):
        predict.run(replace(made.model, path=broken), made.examples, made.transform, tmp_path)
    assert list(tmp_path.iterdir()) == [broken]
