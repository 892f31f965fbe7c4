"""evaluate: the gate's arithmetic, against scipy and Keras."""

from __future__ import annotations

import numpy as np
import pytest

from components import evaluate
from components.evaluate import cross_entropy, judge
from serving.errors import InputError


def test_lower_end_decides_not_the_accuracy():
    # 0.9650 is above the limit, its interval reaches below it.
    passed, reason = judge(965, 1000, 0.96)
    assert not passed
    assert "accuracy 0.9650 (965 of 1,000)" in reason
    assert "lower bound 0.9517 < 0.96" in reason
    assert judge(9_769, 10_000, 0.96)[0]


def test_gate_that_nobody_set_refuses():
    passed, reason = judge(1000, 1000, None)
    assert not passed
    assert "--evaluate.min-accuracy" in reason


def test_limit_must_be_a_fraction():
    with pytest.raises(InputError, match="fraction from 0 to 1"):
        evaluate.Params(min_accuracy=97)


def test_loss_is_keras_cross_entropy():
    import keras

    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(5), 200).astype(np.float32)
    labels = random.integers(0, 5, 200)
    expected = keras.losses.sparse_categorical_crossentropy(labels, probabilities).numpy().mean()
    assert cross_entropy(probabilities, labels) == pytest.approx(expected, rel=1e-5)


def test_evaluation_counts_what_keras_evaluates(made):
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
