"""validate: every breach of the data contract is found, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import analyze, validate
from components.analyze import count
from components.beam import BeamOptions
from components.validate import RULES, find_anomalies

SHAPE = (2, 2, 1)
NAMES = ("cat", "dog", "emu")
CLEAN = count(np.zeros((6, *SHAPE), np.uint8), np.array([0, 1, 2, 0, 1, 2]), 3)


def found(counted):
    return [(anomaly.rule, anomaly.message) for anomaly in find_anomalies("test", counted, SHAPE, NAMES)]


def test_clean_data_have_no_anomaly():
    assert found(CLEAN) == []


@pytest.mark.parametrize(
    ("change", "rule", "says"),
    [
        ({"image_types": frozenset(["uint8 (2, 2, 1)", "float32 (2, 2, 1)"])}, "type", "images are float32"),
        ({"label_types": frozenset(["int64", "int32"])}, "type", "labels are int32"),
        ({"image_types": frozenset(["uint8 (2, 2, 3)"])}, "shape", r"(2, 2, 3), the data set declares (2, 2, 1)"),
        (
            {"label_counts": {0: 1, 1: 1, 2: 1, 3: 2}},
            "label-range",
            "2 rows have label 3, the data set declares 0 to 2",
        ),
        ({"label_counts": {-1: 1, 0: 1, 1: 1, 2: 3}}, "label-range", "1 rows have label -1"),
        ({"label_counts": {0: 3, 2: 3}}, "class-missing", "class 1 (dog) has no row among 6"),
    ],
)
def test_each_broken_rule_is_found_alone(change, rule, says):
    ((found_rule, message),) = found(replace(CLEAN, **change))
    assert found_rule == rule
    assert rule in RULES
    assert says in message


@given(st.dictionaries(st.integers(-3, 6), st.integers(1, 9)))
def test_labels_are_compared_with_the_declared_classes(label_counts):
    rules = [rule for rule, _ in found(replace(CLEAN, label_counts=label_counts))]
    assert rules.count("label-range") == len(label_counts.keys() - {0, 1, 2})
    assert rules.count("class-missing") == len({0, 1, 2} - label_counts.keys())


def test_anomaly_reads_as_a_sentence():
    (anomaly,) = find_anomalies("train", replace(CLEAN, label_counts={0: 3, 2: 3}), SHAPE, NAMES)
    assert str(anomaly) == "train: class 1 (dog) has no row among 6 (class-missing)"


def test_clean_set_passes(made):
    assert made.anomalies.passed
    assert made.anomalies.found == ()
    assert made.anomalies.checked == RULES


def test_breach_in_either_split_refuses_with_its_reason(made, tmp_path):
    names = (*made.examples.class_names, "fifth")
    anomalies = validate.run(replace(made.examples, class_names=names), made.statistics, tmp_path)
    assert not anomalies.passed
    assert [anomaly.split for anomaly in anomalies.found] == ["test", "train"]
    assert "test: class 4 (fifth) has no row among 200 (class-missing)" in anomalies.reasons


@pytest.mark.parametrize("empty", ["train", "test"])
def test_split_without_a_row_refuses(made, tmp_path, empty):
    examples = replace(made.examples, blocks={**made.examples.blocks, empty: ()})
    counted, out = tmp_path / "statistics", tmp_path / "anomalies"
    counted.mkdir()
    out.mkdir()
    anomalies = validate.run(examples, analyze.run(examples, BeamOptions(), counted), out)
    assert not anomalies.passed
    assert {anomaly.split for anomaly in anomalies.found} == {empty}
