"""evaluate: the gate's arithmetic, against scipy and Keras."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from components import evaluate
from components.artifacts.rule import Rule
from components.confusion import class_figures
from components.evaluate import Params, cross_entropy, find_rules, judge, recall_rule
from serving.errors import BeamlineError, InputError


def figures(*counts, names=None):
    """Of classes of which so many of so many rows are recognised; the others are taken for the next class."""
    confusion = np.zeros((len(counts), len(counts)), np.int64)
    for label, (correct, rows) in enumerate(counts):
        confusion[label, label] = correct
        confusion[label, (label + 1) % len(counts)] += rows - correct
    return class_figures(confusion.tolist(), names or [str(label) for label in range(len(counts))])


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


@pytest.mark.parametrize("name", ["min_accuracy", "min_recall"])
@pytest.mark.parametrize("limit", [97, -0.1, 1.000001, float("nan")])
def test_limit_must_be_a_fraction(name, limit):
    flag = f"--evaluate.{name.replace('_', '-')}"
    with pytest.raises(InputError, match=f"^{flag} {limit}: give a fraction from 0 to 1$"):
        Params(**{name: limit})
    for whole in (None, 0, 1):
        Params(**{name: whole})


def test_recall_rule_shows_the_class_with_the_lowest_bound():
    # Of few rows the bound is lower than of many, though the recall is higher.
    rule = recall_rule(figures((95, 100), (9, 9), (960, 1000)), 0.7)
    low, high = binomtest(9, 9).proportion_ci(method="wilson")
    assert rule == Rule(
        "recall",
        True,
        f"recall of class 1 1.0000 (9 of 9), 95 % interval {low:.4f} to {high:.4f}, lower bound {low:.4f} ≥ 0.7, "
        "the lowest of 3 classes",
    )


def test_recall_rule_refuses_by_the_lower_end_and_names_who_misses_it_from_the_lowest():
    rule = recall_rule(figures((965, 1000), (999, 1000), (900, 1000), names=["one", "1", "a, b"]), 0.96)
    low = binomtest(900, 1000).proportion_ci(method="wilson").low
    assert not rule.passed
    assert rule.words.startswith("recall of class 2 (a, b) 0.9000 (900 of 1,000), 95 % interval ")
    assert f"lower bound {low:.4f} < 0.96, the lowest of 3 classes" in rule.words
    assert rule.words.endswith("; classes below the limit (2 in all): 2 (a, b), 0 (one)")


def test_limit_that_is_reached_exactly_holds():
    reached = figures((90, 100), (95, 100))
    low = reached[0].recall.low
    assert recall_rule(reached, low).passed
    assert not recall_rule(reached, float(np.nextafter(low, 1))).passed


def test_many_classes_below_the_limit_are_not_all_named():
    rule = recall_rule(figures(*[(label, 20) for label in range(12)]), 0.9)
    assert rule.words.endswith("; classes below the limit (12 in all): 0, 1, 2, 3, 4, …")


def test_class_without_test_images_refuses_and_says_so():
    rule = recall_rule(figures((100, 100), (0, 0), (100, 100), names=["a", "never seen", "c"]), 0.5)
    assert not rule.passed
    assert rule.words.endswith("≥ 0.5, the lowest of 2 classes; classes without test images (1 in all): 1 (never seen)")


def test_every_rule_is_computed_though_another_refuses():
    counted = figures((90, 100), (100, 100))
    assert [rule.name for rule in find_rules(counted, Params(0.5))] == ["accuracy"]
    for accuracy, recall in ((0.5, 0.5), (0.99, 0.5), (0.5, 0.99), (0.99, 0.99), (None, 0.5)):
        rules = find_rules(counted, Params(accuracy, recall))
        assert [rule.name for rule in rules] == ["accuracy", "recall"]
        assert [rule.passed for rule in rules] == [accuracy == 0.5, recall == 0.5]
        assert (rules[0].passed, rules[0].words) == judge(190, 200, accuracy)
        assert rules[1] == recall_rule(counted, recall)


def test_summary_shows_every_rule_and_which_of_them_refuses(made):
    evaluation = replace(
        made.evaluation,
        loss=0.07,
        calibration_error=0.0123,
        rules=(Rule("accuracy", True, "0.9 ≥ 0.8"), Rule("recall", False, "0.7 < 0.8")),
    )
    assert evaluation.summary() == "0.9 ≥ 0.8; refused: 0.7 < 0.8; loss 0.0700, calibration error 0.0123"
    alone = replace(evaluation, rules=evaluation.rules[1:])
    assert alone.summary() == "0.7 < 0.8; loss 0.0700, calibration error 0.0123"


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


def test_figures_of_the_classes_are_those_of_keras(made):
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


def test_evaluation_names_the_weights_the_images_and_the_answers_it_is_of(made):
    said = json.loads((made.evaluation.path / "evaluation.json").read_text())
    files = sorted(made.model.path.glob("weights-*.npy"))
    assert said["weights_sha256"] == hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    assert said["test_sha256"] == made.examples.sha256("test")
    answers = np.load(made.evaluation.path / "probabilities.npy")
    assert said["probabilities_sha256"] == hashlib.sha256(answers.astype("<f4").tobytes("C")).hexdigest()


def test_refused_evaluation_keeps_all_its_figures(made, tmp_path):
    refused = evaluate.run(made.model, made.examples, made.transform, Params(0.9, min_recall=0.99), tmp_path)
    assert not refused.passed
    assert refused.reasons == (refused.rules[1].words,)
    assert refused.rules[0].words in refused.summary()
    assert f"refused: {refused.rules[1].words}" in refused.summary()
    assert evaluate.Evaluation.load(tmp_path) == refused
    of_the_gate = ("min_recall", "rules", "passed", "reasons", "path")
    expected = {name: value for name, value in vars(made.evaluation).items() if name not in of_the_gate}
    assert {name: value for name, value in vars(refused).items() if name not in of_the_gate} == expected


def test_model_that_answers_with_what_is_no_number_is_told(made, tmp_path):
    broken = tmp_path / "model"
    shutil.copytree(made.model.path, broken)
    last = max(broken.glob("weights-*.npy"))
    np.save(last, np.full_like(np.load(last), np.nan))
    with pytest.raises(BeamlineError, match="answers 200 of 200 test images, the first is 0, with what is no number"):
        evaluate.run(replace(made.model, path=broken), made.examples, made.transform, Params(0.9), tmp_path)
    assert list(tmp_path.iterdir()) == [broken]
