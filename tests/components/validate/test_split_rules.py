"""split_rules: labels outside the declared classes, missing and rare classes, and a dominant class are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.statistics import InvalidRows
from components.validate.split_rules import check_channels
from components.validate.validate import Params
from tests.components.statistics_by_hand import NAMES, split, statistics
from tests.components.validate.breaches import find


def rules_of(counted, params=None):
    return [anomaly.rule for anomaly in find(counted, params)]


@given(st.integers(1, 60), st.integers(1, 60))
def test_class_is_dominant_just_above_its_limit(rows, allowed):
    counted = statistics(train=split(rows, 60 - rows), test=split(rows, 60 - rows))
    rules = rules_of(counted, Params(max_class_fraction=allowed / 60))
    assert rules.count("class-dominant") == 2 * (max(rows, 60 - rows) > allowed)


def test_only_class_of_a_split_is_dominant():
    assert "class-dominant" in rules_of(statistics(train=split(40), test=split(10)))


@given(st.lists(st.integers(0, 3), min_size=3, max_size=3), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_each_class_breaks_at_most_one_rule(train, test):
    if not any(train) or not any(test):
        return
    counted = statistics(train=split(*train), test=split(*test))
    labels_by_rule = {"class-untrained": set(), "class-untested": set(), "class-unused": set(), "class-rare": set()}
    for anomaly in find(counted, Params(min_class_rows=3)):
        if anomaly.rule in labels_by_rule:
            names = re.findall(r"class \d \((\w+)\)", anomaly.message)
            labels_by_rule[anomaly.rule] = {NAMES.index(name) for name in names}
    labels = range(3)
    assert labels_by_rule == {
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
    messages = [anomaly.message for anomaly in find(counted) if anomaly.rule == "label-range"]
    assert len(messages) == bool(outside)
    for message in messages:
        assert message.startswith(f"{sum(outside.values())} of {rows} labels")
        assert all(f"label {label} in {count}" in message for label, count in [*sorted(outside.items())][:5])


def test_rows_with_a_label_outside_the_classes_are_named():
    invalid = {"label-range": InvalidRows.of([(9, -1), (4, 2**62)])}
    label_counts = {-1: 1, 0: 40, 1: 40, 2: 38, 2**62: 1}
    (anomaly,) = find(statistics(train=split(40, 40, 40, label_counts=label_counts, invalid=invalid)))
    assert anomaly.message.endswith(
        f"(label -1 in 1, label {2**62} in 1): row 4 (train/4.png) has the label {2**62}, row 9 (train/9.png) has the "
        "label -1"
    )
    assert anomaly.rows == {"train": (4, 9)}


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((3, 32, 32), True),
        ((1, 28, 28), True),
        ((4, 64, 48), True),
        # Images, and rows of measurements.
        ((28, 28, 1), False),
        ((32, 32, 3), False),
        ((3, 32, 3), False),
        ((1, 500, 1), False),
        ((3, 4, 3), False),
        # Many spectral channels.
        ((9, 9, 200), False),
    ],
)
def test_channels_first_are_found_and_the_remedy_is_named(shape, found):
    anomalies = list(check_channels("train", 1200, shape))
    assert len(anomalies) == found
    if found:
        height, width, channels = shape
        assert anomalies[0].message == (
            f"its 1,200 images are {height} pixels high and have {channels} channels, as if channels were first: if "
            f"so, save them with images.transpose(0, 2, 3, 1), as images of {width}×{channels}; if not, add "
            "--validate.off channels-first"
        )
