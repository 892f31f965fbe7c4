"""validate: finds every breach of the data contract with its rows, at the severity that the user chose."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from components.artifacts.anomalies import Severity
from components.artifacts.schema import Schema
from components.artifacts.statistics import InvalidRows
from components.validate.validate import RULES, SETTABLE, STRUCTURAL, Params
from serving.errors import InputError
from tests.components.statistics_by_hand import DECLARED, split, statistics
from tests.components.validate.breaches import BREACHES, breach, find


def test_clean_data_have_no_anomaly():
    assert find(statistics()) == []
    assert find(statistics(), baselines={"drift": Schema.of(DECLARED, split(40, 40, 40))}) == []


def test_every_rule_has_a_breach_in_the_table():
    assert tuple(BREACHES) == RULES == STRUCTURAL + SETTABLE


@pytest.mark.parametrize("rule", RULES)
def test_each_breach_is_found_alone_with_its_default_severity(rule):
    counted, params, baselines, severity = breach(rule)
    anomalies = find(counted, params, baselines)
    assert {anomaly.rule for anomaly in anomalies} == {rule}
    assert {anomaly.severity for anomaly in anomalies} == {severity}


@pytest.mark.parametrize("severity", get_args(Severity))
@pytest.mark.parametrize("rule", SETTABLE)
def test_severity_that_the_user_chose_replaces_the_default(rule, severity):
    counted, params, baselines, _ = breach(rule)
    anomalies = find(counted, replace(params, **{severity: (rule,)}), baselines)
    assert {anomaly.severity for anomaly in anomalies} == {severity}
    assert find(counted, replace(params, off=(rule,)), baselines) == []
    others = tuple(other for other in SETTABLE if other != rule)
    assert find(counted, replace(params, off=others), baselines) == find(counted, params, baselines)


SENTENCES = {
    "split-empty": "test: has no rows (split-empty)",
    "type": "train: labels are int32, the pipeline takes int64: save them as int64 (type)",
    "shape": "test: images have shape (2, 2, 3), the data set declares (2, 2, 1) (shape)",
    "range": (
        "train: 1 of 120 images (0.8 %) have pixels outside 0 to 255: row 5 (train/5.png) has the value 300.5 (range)"
    ),
    "nan": (
        "train: 1 of 120 images (0.8 %) have pixels that are not finite numbers: row 5 (train/5.png) has 4 of these "
        "pixels (nan)"
    ),
    "label-range": "train: 1 of 120 labels (0.8 %) are outside 0 to 2 (label -1 in 1) (label-range)",
    "label-fraction": (
        "train: 1 of 120 labels (0.8 %) are not whole numbers: row 5 (train/5.png) has the label 0.5 (label-fraction)"
    ),
    "label-nan": "test: 1 of 30 labels (3.3 %) are not finite numbers: row 5 (test/5.png) (label-nan)",
    "class-untrained": (
        "train: 1 of 3 classes have test rows and no training rows: class 2 (emu), which has 1 in test "
        "(class-untrained)"
    ),
    "class-untested": (
        "test: 1 of 3 classes have training rows and no test rows: class 2 (emu), which has 12 in train "
        "(class-untested)"
    ),
    "class-unused": "train and test: 1 of 3 classes have no row: class 2 (emu) (class-unused)",
    "class-rare": (
        "train: 1 of 3 classes have fewer rows than --validate.min-class-rows 10: class 2 (emu) has 9 (class-rare)"
    ),
    "class-dominant": (
        "train: class 0 (cat) has 981 of 1,001 rows (98.0 %), more than --validate.max-class-fraction 0.95 allows "
        "(class-dominant)"
    ),
    "leaks": (
        "test: 1 of 30 images (3.3 %) are in the training split too, more than --validate.max-leaked-fraction 0.001 "
        "allows: row 3 (test/3.png) has the same pixels as train row 17 (train/17.png) (leaks)"
    ),
    "contradictions": (
        "train and test: 1 of 150 images (0.7 %) have more than one label, more than "
        "--validate.max-contradicting-fraction 0.001 allows: train row 1 (train/1.png) as cat and "
        "test row 4 (test/4.png) as dog (contradictions)"
    ),
    "duplicates": (
        "train: 1 of 120 rows (0.8 %) repeat an earlier row with the same label: "
        "row 9 (train/9.png) has the same pixels as row 2 (train/2.png) (duplicates)"
    ),
    "constant": (
        "train: 1 of 120 images (0.8 %) have the same value in every pixel: row 5 (train/5.png) has the value 0 "
        "(constant)"
    ),
}


@pytest.mark.parametrize("rule", SENTENCES)
def test_anomaly_is_a_sentence_with_split_rows_value_and_limit(rule):
    counted, params, baselines, _ = breach(rule)
    assert [str(anomaly) for anomaly in find(counted, params, baselines)] == [SENTENCES[rule]]


def test_anomaly_keeps_its_rows_by_split():
    rows = {rule: find(*breach(rule)[:3])[0].rows for rule in RULES}
    named = {"range": {"train": (5,)}, "nan": {"train": (5,)}, "label-nan": {"test": (5,)}, "constant": {"train": (5,)}}
    assert {rule: rows[rule] for rule in named} == named
    assert rows["leaks"] == {"test": (3,)}
    assert rows["contradictions"] == {"test": (4,), "train": (1,)}
    assert rows["duplicates"] == {"train": (9,)}


def test_sentence_names_five_rows_and_the_anomaly_keeps_all_named_rows():
    invalid = InvalidRows(1234, tuple((row, 0.0) for row in range(1000)))
    (anomaly,) = find(statistics(train=split(2000, 2000, 2000, invalid={"constant": invalid})))
    assert len(re.findall(r"\.png", anomaly.message)) == 5
    assert anomaly.message.endswith("row 4 (train/4.png) has the value 0 and 1,229 more")
    assert anomaly.rows == {"train": tuple(range(1000))}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"off": ("shape",)}, "--validate.off shape: the severity of this rule cannot be changed"),
        ({"warn": ("leaks", "nan")}, "--validate.warn nan: the severity of this rule cannot be changed"),
        (
            {"error": ("skew",), "off": ("leaks", "skew")},
            "--validate.error skew and --validate.off skew contradict each other: give one of them",
        ),
        ({"min_class_rows": -1}, "--validate.min-class-rows -1: give 0 to 1,000,000,000"),
        ({"max_leaked_fraction": 1.1}, "--validate.max-leaked-fraction 1.1: give 0 to 1"),
        ({"max_contradicting_fraction": -0.1}, "--validate.max-contradicting-fraction -0.1: give 0 to 1"),
        ({"max_class_fraction": float("nan")}, "--validate.max-class-fraction nan: give 0 to 1"),
        ({"max_skew": 2.0}, "--validate.max-skew 2.0: give 0 to 1"),
        ({"max_drift": float("inf")}, "--validate.max-drift inf: give 0 to 1"),
    ],
)
def test_parameter_that_cannot_be_set_is_refused_in_one_sentence(change, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Params(**change)
