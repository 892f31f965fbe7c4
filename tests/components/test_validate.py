"""validate: every breach of the data contract is found with its rows, by the severity that the user gave it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import analyze, validate
from components.artifacts.anomalies import Anomalies, Severity
from components.artifacts.duplicates import Duplicates
from components.artifacts.odd import Odd
from components.artifacts.reference import Reference
from components.beam import BeamOptions
from components.validate import RULES, SETTABLE, STRUCTURAL, Params, find_anomalies
from serving.errors import InputError
from tests.components.statistics_by_hand import DECLARED, NAMES, group, split, statistics


def describe(where, row):
    return f"row {row:,} ({where}/{row}.png)"


def found(counted, params=None, references=None):
    return find_anomalies(DECLARED, counted, params or Params(), references or {}, describe)


def said(counted, params=None, references=None):
    return [(anomaly.rule, anomaly.severity, str(anomaly)) for anomaly in found(counted, params, references)]


def duplicates(**fields):
    nothing = {"repeated": {}, "leaked": 0, "contradicting": 0}
    groups = {"repeated_groups": (), "leaked_groups": (), "contradicting_groups": ()}
    return Duplicates(**{**nothing, **groups, **fields})


LEAK = group(("train", 17, 0), ("test", 3, 0))
CLASH = group(("train", 1, 0), ("test", 4, 1))
REPEAT = group(("train", 2, 1), ("train", 9, 1))
SHIFTED = np.zeros((1, 256), np.int64)
SHIFTED[0, [100, 255]] = 240
CHAMPION = replace(Reference.of(DECLARED, split(40, 40, 40)), pixel_counts=tuple(map(tuple, SHIFTED.tolist())))
SCHEMA = replace(CHAMPION, class_names=("cat", "emu", "dog"))

# For each rule, data that break it alone, and its severity where nobody set it.
BREACHES = {
    "split-empty": ({"test": None}, "error"),
    "type": ({"train": split(40, 40, 40, label_types=frozenset(["int32", "int64"]))}, "error"),
    "shape": ({"test": split(10, 10, 10, image_types=frozenset(["uint8 (2, 2, 3)", "uint8 (2, 2, 1)"]))}, "error"),
    "range": ({"train": split(40, 40, 40, odd={"range": Odd.of([(5, 300.5)])})}, "error"),
    "nan": ({"train": split(40, 40, 40, odd={"nan": Odd.of([(5, 4.0)])})}, "error"),
    "label-range": ({"train": split(40, 40, 40, label_counts={-1: 1, 0: 39, 1: 40, 2: 40})}, "error"),
    "label-fraction": ({"train": split(40, 40, 40, odd={"label-fraction": Odd.of([(5, 0.5)])})}, "error"),
    "label-nan": ({"test": split(10, 10, 10, odd={"label-nan": Odd.of([(5, 0.0)])})}, "error"),
    "class-untrained": ({"train": split(40, 40), "test": split(12, 12, 1)}, "error"),
    "class-untested": ({"train": split(40, 40, 12), "test": split(15, 15)}, "warn"),
    "class-unused": ({"train": split(40, 40), "test": split(10, 10)}, "warn"),
    "class-rare": ({"train": split(45, 40, 9)}, "warn"),
    "class-dominant": ({"train": split(981, 10, 10), "test": split(94, 3, 3)}, "error"),
    "leaks": ({"duplicates": duplicates(leaked=1, leaked_groups=(LEAK,))}, "error"),
    "contradictions": ({"duplicates": duplicates(contradicting=1, contradicting_groups=(CLASH,))}, "error"),
    "duplicates": ({"duplicates": duplicates(repeated={"train": 1}, repeated_groups=(REPEAT,))}, "warn"),
    "constant": ({"train": split(40, 40, 40, odd={"constant": Odd.of([(5, 0.0)])})}, "warn"),
    "skew": ({"train": split(4000, 40, 40), "test": split(10, 1000, 10)}, "error"),
    "drift": ({}, "warn"),
    "schema": ({}, "error"),
}
REFERENCES = {"drift": {"drift": CHAMPION}, "schema": {"schema": SCHEMA}}


def breach(rule):
    changes, severity = BREACHES[rule]
    # What a dominant class or a skew comes with.
    loose = Params(max_class_fraction=1.0) if rule == "skew" else Params()
    return statistics(**changes), loose, REFERENCES.get(rule, {}), severity


def test_clean_data_have_no_anomaly():
    assert found(statistics()) == []
    assert found(statistics(), references={"drift": Reference.of(DECLARED, split(40, 40, 40))}) == []


def test_every_rule_has_its_breach_here():
    assert tuple(BREACHES) == RULES == STRUCTURAL + SETTABLE


@pytest.mark.parametrize("rule", RULES)
def test_each_breach_is_found_alone_with_its_default_severity(rule):
    counted, params, references, severity = breach(rule)
    anomalies = found(counted, params, references)
    assert {anomaly.rule for anomaly in anomalies} == {rule}
    assert {anomaly.severity for anomaly in anomalies} == {severity}


@pytest.mark.parametrize("severity", get_args(Severity))
@pytest.mark.parametrize("rule", SETTABLE)
def test_severity_that_the_user_set_beats_the_default(rule, severity):
    counted, params, references, _ = breach(rule)
    anomalies = found(counted, replace(params, **{severity: (rule,)}), references)
    assert {anomaly.severity for anomaly in anomalies} == {severity}
    assert found(counted, replace(params, off=(rule,)), references) == []
    others = tuple(other for other in SETTABLE if other != rule)
    assert found(counted, replace(params, off=others), references) == found(counted, params, references)


SENTENCES = {
    "split-empty": "test: has no row (split-empty)",
    "type": "train: labels are int32, the pipeline takes int64: save whole numbers of that type (type)",
    "shape": "test: images have shape (2, 2, 3), the data set declares (2, 2, 1) (shape)",
    "range": ("train: 1 of 120 images (0.8 %) have pixels outside 0 to 255: row 5 (train/5.png) has 300.5 (range)"),
    "nan": ("train: 1 of 120 images (0.8 %) have pixels that are no finite numbers: row 5 (train/5.png) has 4 (nan)"),
    "label-range": "train: 1 of 120 labels (0.8 %) are outside 0 to 2 (label -1 in 1) (label-range)",
    "label-fraction": (
        "train: 1 of 120 labels (0.8 %) are no whole number: row 5 (train/5.png) has 0.5 (label-fraction)"
    ),
    "label-nan": "test: 1 of 30 labels (3.3 %) are no finite number: row 5 (test/5.png) (label-nan)",
    "class-untrained": (
        "train: 1 of 3 classes are tested and have no row here: class 2 (emu), which has 1 in test (class-untrained)"
    ),
    "class-untested": (
        "test: 1 of 3 classes are trained and have no row here: class 2 (emu), which has 12 in train (class-untested)"
    ),
    "class-unused": "train and test: 1 of 3 classes have no row: class 2 (emu) (class-unused)",
    "class-rare": (
        "train: 1 of 3 classes have fewer rows than --validate.min-class-rows 10: class 2 (emu) has 9 (class-rare)"
    ),
    "class-dominant": (
        "train: class 0 (cat) holds 981 of 1,001 rows (98.0 %), more than --validate.max-class-fraction 0.95 allows "
        "(class-dominant)"
    ),
    "leaks": (
        "test: 1 of 30 images (3.3 %) stand in training too, more than --validate.max-leaked-fraction 0.001 allows: "
        "row 3 (test/3.png) is train row 17 (train/17.png) (leaks)"
    ),
    "contradictions": (
        "train and test: 1 of 150 images (0.7 %) stand with more than one label, more than "
        "--validate.max-contradicting-fraction 0.001 allows: train row 1 (train/1.png) as cat and "
        "test row 4 (test/4.png) as dog (contradictions)"
    ),
    "duplicates": (
        "train: 1 of 120 rows (0.8 %) repeat an earlier one with the same label: "
        "row 9 (train/9.png) is row 2 (train/2.png) (duplicates)"
    ),
    "constant": "train: 1 of 120 images (0.8 %) have one value throughout: row 5 (train/5.png) is 0 (constant)",
}


@pytest.mark.parametrize("rule", SENTENCES)
def test_anomaly_is_a_sentence_with_split_rows_value_and_limit(rule):
    counted, params, references, _ = breach(rule)
    assert [str(anomaly) for anomaly in found(counted, params, references)] == [SENTENCES[rule]]


def test_rows_of_every_kind_are_kept_by_split():
    rows = {rule: found(*breach(rule)[:3])[0].rows for rule in RULES}
    odd = {"range": {"train": (5,)}, "nan": {"train": (5,)}, "label-nan": {"test": (5,)}, "constant": {"train": (5,)}}
    assert {rule: rows[rule] for rule in odd} == odd
    assert rows["leaks"] == {"test": (3,)}
    assert rows["contradictions"] == {"test": (4,), "train": (1,)}
    assert rows["duplicates"] == {"train": (9,)}


def test_sentence_names_five_rows_and_the_anomaly_all_that_are_known():
    odd = Odd(1234, tuple((row, 0.0) for row in range(1000)))
    (anomaly,) = found(statistics(train=split(2000, 2000, 2000, odd={"constant": odd})))
    assert len(re.findall(r"\.png", anomaly.message)) == 5
    assert anomaly.message.endswith("row 4 (train/4.png) is 0 and 1,229 more")
    assert anomaly.rows == {"train": tuple(range(1000))}


def severity_of(rule, counted, params):
    return {anomaly.severity for anomaly in found(counted, params) if anomaly.rule == rule}


@given(st.integers(1, 400), st.integers(0, 400))
def test_leaks_and_contradictions_are_errors_just_above_their_limit(count, allowed):
    both = duplicates(leaked=count, contradicting=count)
    counted = statistics(both, train=split(500, 500, 600), test=split(100, 150, 150))
    leaks = Params(max_leaked_fraction=allowed / 400)
    clashes = Params(max_contradicting_fraction=allowed / 2000)
    expected = {"error" if count > allowed else "warn"}
    assert severity_of("leaks", counted, leaks) == severity_of("contradictions", counted, clashes) == expected


def test_rule_that_is_set_to_error_makes_its_warnings_errors():
    counted = statistics(duplicates(leaked=1), test=split(500, 500, 1000), train=split(500, 500, 1000))
    assert severity_of("leaks", counted, Params()) == {"warn"}
    assert severity_of("leaks", counted, Params(error=("leaks",))) == {"error"}


@given(st.integers(1, 60), st.integers(1, 60))
def test_class_is_dominant_just_above_its_limit(rows, allowed):
    counted = statistics(train=split(rows, 60 - rows), test=split(rows, 60 - rows))
    rules = [rule for rule, _, _ in said(counted, Params(max_class_fraction=allowed / 60))]
    assert rules.count("class-dominant") == 2 * (max(rows, 60 - rows) > allowed)


def test_split_of_one_class_is_dominated_by_it():
    assert "class-dominant" in [rule for rule, _, _ in said(statistics(train=split(40), test=split(10)))]


@given(st.lists(st.integers(0, 3), min_size=3, max_size=3), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_each_class_is_under_one_heading(train, test):
    if not any(train) or not any(test):
        return
    counted = statistics(train=split(*train), test=split(*test))
    headings = {"class-untrained": set(), "class-untested": set(), "class-unused": set(), "class-rare": set()}
    for anomaly in found(counted, Params(min_class_rows=3)):
        if anomaly.rule in headings:
            headings[anomaly.rule] = {NAMES.index(name) for name in re.findall(r"class \d \((\w+)\)", anomaly.message)}
    labels = range(3)
    assert headings == {
        "class-untrained": {label for label in labels if test[label] and not train[label]},
        "class-untested": {label for label in labels if train[label] and not test[label]},
        "class-unused": {label for label in labels if not train[label] and not test[label]},
        "class-rare": {label for label in labels if 0 < train[label] < 3},
    }


@given(st.dictionaries(st.integers(-3, 6), st.integers(1, 9), min_size=1))
def test_labels_are_compared_with_the_declared_classes(label_counts):
    rows = sum(label_counts.values())
    counted = statistics(train=split(rows, label_counts=label_counts))
    outside = {label: count for label, count in label_counts.items() if label not in (0, 1, 2)}
    messages = [anomaly.message for anomaly in found(counted) if anomaly.rule == "label-range"]
    assert len(messages) == bool(outside)
    for message in messages:
        assert message.startswith(f"{sum(outside.values())} of {rows} labels")
        assert all(f"label {label} in {count}" in message for label, count in [*sorted(outside.items())][:5])


def test_label_outside_names_its_rows():
    odd = {"label-range": Odd.of([(9, -1), (4, 2**62)])}
    counted = statistics(train=split(40, 40, 40, label_counts={-1: 1, 0: 40, 1: 40, 2: 38, 2**62: 1}, odd=odd))
    (anomaly,) = found(counted)
    assert anomaly.message.endswith(
        f"(label -1 in 1, label {2**62} in 1): row 4 (train/4.png) has {2**62}, row 9 (train/9.png) has -1"
    )
    assert anomaly.rows == {"train": (4, 9)}


def test_row_repeats_the_first_one_of_its_split_and_label():
    places = (("train", 1, 0), ("train", 4, 1), ("train", 8, 1), ("train", 9, 1), ("test", 2, 1), ("test", 3, 1))
    copies = duplicates(repeated={"train": 2, "test": 1, "other": 0}, repeated_groups=(group(*places),))
    test, train = sorted(found(statistics(copies)), key=lambda anomaly: anomaly.split)
    assert test.message.endswith("label: row 3 (test/3.png) is row 2 (test/2.png)")
    assert train.message.endswith(
        "label: row 8 (train/8.png) is row 4 (train/4.png), row 9 (train/9.png) is row 4 (train/4.png)"
    )
    assert (test.rows, train.rows) == ({"test": (3,)}, {"train": (8, 9)})


def test_image_that_stands_in_training_so_often_that_no_test_row_is_named_leaks_all_the_same():
    often = group(*(("train", row, 0) for row in range(10)), rows=12)
    (anomaly,) = found(statistics(duplicates(leaked=2, leaked_groups=(often,))))
    assert anomaly.message.endswith("0.001 allows")
    assert anomaly.rows == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"off": ("shape",)}, "--validate.off shape: this rule cannot be set"),
        ({"warn": ("leaks", "nan")}, "--validate.warn nan: this rule cannot be set"),
        (
            {"error": ("skew",), "off": ("leaks", "skew")},
            "--validate.error skew and --validate.off skew contradict each other: give one of them",
        ),
        ({"min_class_rows": -1}, "--validate.min-class-rows -1: give 0 or more"),
        ({"max_leaked_fraction": 1.1}, "--validate.max-leaked-fraction 1.1: give a fraction from 0 to 1"),
        ({"max_contradicting_fraction": -0.1}, "--validate.max-contradicting-fraction -0.1: give a fraction"),
        ({"max_class_fraction": float("nan")}, "--validate.max-class-fraction nan: give a fraction from 0 to 1"),
        ({"max_skew": 2.0}, "--validate.max-skew 2.0: give bits from 0 to 1"),
        ({"max_drift": float("inf")}, "--validate.max-drift inf: give bits from 0 to 1"),
    ],
)
def test_what_cannot_be_set_is_told_in_one_sentence(change, words):
    with pytest.raises(InputError, match=re.escape(words)):
        Params(**change)


def test_errors_refuse_and_are_the_reasons_while_warnings_are_kept(tmp_path):
    counted = statistics(
        duplicates(repeated={"train": 1}, leaked=30, leaked_groups=(LEAK,)),
        test=split(20, 20, 20),
        train=split(60, 60, 9),
    )
    refused = validate.run(DECLARED, counted, Params(off=("drift",)), tmp_path)
    assert not refused.passed
    assert [anomaly.severity for anomaly in refused.found] == ["error", "warn", "warn"]
    assert [reason[-8:] for reason in refused.reasons] == [" (leaks)"]
    assert refused.summary() == "1 error, 2 warnings (leaks, class-rare, duplicates); 18 rules"
    assert Anomalies.load(tmp_path) == refused


def test_warnings_alone_pass_and_are_shown(tmp_path):
    passed = validate.run(DECLARED, statistics(train=split(60, 60, 9)), Params(), tmp_path)
    assert passed.passed
    assert [reason[-13:] for reason in passed.reasons] == [" (class-rare)"]
    assert passed.summary() == "1 warning (class-rare); 19 rules"
    assert Anomalies.load(tmp_path) == passed


def test_clean_set_passes(made):
    assert made.anomalies.passed
    assert made.anomalies.found == made.anomalies.reasons == ()
    assert made.anomalies.checked == RULES[:-1]
    assert made.anomalies.summary() == "no anomalies (19 rules)"


def test_rules_that_are_off_are_not_counted(made, tmp_path):
    anomalies = validate.run(made.examples, made.statistics, Params(off=("skew", "leaks")), tmp_path)
    assert set(RULES) - set(anomalies.checked) == {"skew", "leaks", "schema"}


@pytest.mark.parametrize("empty", ["train", "test"])
def test_split_without_a_row_refuses_and_says_no_more(made, tmp_path, empty):
    examples = replace(made.examples, blocks={**made.examples.blocks, empty: ()})
    counted, out = tmp_path / "statistics", tmp_path / "anomalies"
    counted.mkdir()
    out.mkdir()
    anomalies = validate.run(examples, analyze.run(examples, BeamOptions(), counted), Params(), out)
    assert anomalies.reasons == (f"{empty}: has no row (split-empty)",)
