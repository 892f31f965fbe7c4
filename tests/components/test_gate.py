"""gate: its arithmetic, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from components.artifacts.artifact import RuleResult
from components.confusion import class_figures
from components.gate import accuracy_rule, gate_rules, recall_rule


def figures(*counts, names=None):
    """The figures of classes from (correct, rows) of each; wrong images are predicted as the next class."""
    confusion = np.zeros((len(counts), len(counts)), np.int64)
    for label, (correct, rows) in enumerate(counts):
        confusion[label, label] = correct
        confusion[label, (label + 1) % len(counts)] += rows - correct
    return class_figures(confusion.tolist(), names or [str(label) for label in range(len(counts))])


def test_the_lower_end_of_the_interval_decides_and_not_the_accuracy():
    # 0.9650 is above the limit, its interval begins below it.
    rule = accuracy_rule(965, 1000, 0.96)
    assert (rule.name, rule.passed) == ("accuracy", False)
    assert "accuracy 0.9650 (965 of 1,000)" in rule.message
    assert "lower bound 0.9517 < 0.96" in rule.message
    assert accuracy_rule(9_769, 10_000, 0.96).passed


def test_a_gate_without_a_limit_refuses():
    rule = accuracy_rule(1000, 1000, None)
    assert not rule.passed
    assert "--evaluate.min-accuracy" in rule.message


def test_the_recall_rule_shows_the_class_with_the_lowest_bound():
    # A class with few rows has a lower bound than one with many, though its recall is higher.
    rule = recall_rule(figures((95, 100), (9, 9), (960, 1000)), 0.7)
    low, high = binomtest(9, 9).proportion_ci(method="wilson")
    assert rule == RuleResult(
        "recall",
        True,
        f"recall of class 1 1.0000 (9 of 9), 95 % interval {low:.4f} to {high:.4f}, lower bound {low:.4f} ≥ 0.7, "
        "the lowest of 3 classes",
    )


def test_the_recall_rule_names_the_classes_below_the_limit_from_the_lowest():
    rule = recall_rule(figures((965, 1000), (999, 1000), (900, 1000), names=["one", "1", "a, b"]), 0.96)
    low = binomtest(900, 1000).proportion_ci(method="wilson").low
    assert not rule.passed
    assert rule.message.startswith("recall of class 2 (a, b) 0.9000 (900 of 1,000), 95 % interval ")
    assert f"lower bound {low:.4f} < 0.96, the lowest of 3 classes" in rule.message
    assert rule.message.endswith("; classes below the limit (2 in all): 2 (a, b), 0 (one)")


def test_a_bound_that_equals_the_limit_holds():
    reached = figures((90, 100), (95, 100))
    low = reached[0].recall.low
    assert recall_rule(reached, low).passed
    assert not recall_rule(reached, float(np.nextafter(low, 1))).passed
    above = float(np.nextafter(binomtest(0, 1).proportion_ci(method="wilson").low, 1))
    assert accuracy_rule(0, 1, 0.0).passed
    assert not accuracy_rule(0, 1, above).passed


def test_only_the_first_of_many_classes_below_the_limit_are_named():
    rule = recall_rule(figures(*[(label, 20) for label in range(12)]), 0.9)
    assert rule.message.endswith("; classes below the limit (12 in all): 0, 1, 2, 3, 4, …")


@pytest.mark.parametrize(("correct", "passed", "sign"), [(100, True, "≥"), (40, False, "<")])
def test_a_class_without_test_images_is_named_and_does_not_refuse(correct, passed, sign):
    rule = recall_rule(figures((100, 100), (0, 0), (correct, 100), names=["a", "never seen", "c"]), 0.5)
    assert rule.passed == passed
    assert f"{sign} 0.5, the lowest of 2 classes" in rule.message
    assert ("classes below the limit (1 in all): 2 (c)" in rule.message) == (not passed)
    assert rule.message.endswith("; not judged, because without test images (1 in all): 1 (never seen)")


def test_every_rule_is_computed_even_if_another_one_refuses():
    counted = figures((90, 100), (100, 100))
    assert [rule.name for rule in gate_rules(counted, 0.5, None)] == ["accuracy"]
    for accuracy, recall in ((0.5, 0.5), (0.99, 0.5), (0.5, 0.99), (0.99, 0.99), (None, 0.5)):
        rules = gate_rules(counted, accuracy, recall)
        assert [rule.passed for rule in rules] == [accuracy == 0.5, recall == 0.5]
        assert rules == (accuracy_rule(190, 200, accuracy), recall_rule(counted, recall))
