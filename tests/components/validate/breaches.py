"""For each rule of the data contract, statistics that break this rule alone."""

from __future__ import annotations

from ast import literal_eval
from dataclasses import replace

import numpy as np

from components.artifacts.duplicates import Duplicates
from components.artifacts.schema import Schema
from components.artifacts.statistics import InvalidRows
from components.validate.validate import Params, find_anomalies
from tests.components.statistics_by_hand import DECLARED, group, split, statistics


def describe(where, row):
    return f"row {row:,} ({where}/{row}.png)"


def find(counted, params=None, baselines=None):
    shapes = {seen.split(" ", 1)[1] for one in counted.splits.values() for seen in one.image_types}
    # What all splits have is what the data set declares.
    shape = literal_eval(next(iter(shapes))) if len(shapes) == 1 else DECLARED.image_shape
    declared = replace(DECLARED, image_shape=shape)
    return find_anomalies(declared, counted, params or Params(), baselines or {}, describe)


def severities_of(rule, counted, params):
    return {anomaly.severity for anomaly in find(counted, params) if anomaly.rule == rule}


def duplicates(**fields):
    nothing = {"repeats": {}, "leaks": 0, "label_conflicts": 0}
    groups = {"repeat_groups": (), "leak_groups": (), "label_conflict_groups": ()}
    return Duplicates(**{**nothing, **groups, **fields})


LEAK = group(("train", 17, 0), ("test", 3, 0))
CONFLICT = group(("train", 1, 0), ("test", 4, 1))
REPEAT = group(("train", 2, 1), ("train", 9, 1))
SHIFTED = np.zeros((1, 256), np.int64)
SHIFTED[0, [100, 255]] = 240
CHAMPION = replace(Schema.of(DECLARED, split(40, 40, 40)), pixel_counts=tuple(map(tuple, SHIFTED.tolist())))
SCHEMA = replace(CHAMPION, class_names=("cat", "emu", "dog"))

# For each rule, statistics that break it alone, and its default severity.
BREACHES = {
    "split-empty": ({"test": None}, "error"),
    "type": ({"train": split(40, 40, 40, label_types=frozenset(["int32", "int64"]))}, "error"),
    "shape": ({"test": split(10, 10, 10, image_types=frozenset(["uint8 (2, 2, 3)", "uint8 (2, 2, 1)"]))}, "error"),
    "range": ({"train": split(40, 40, 40, invalid={"range": InvalidRows.of([(5, 300.5)])})}, "error"),
    "nan": ({"train": split(40, 40, 40, invalid={"nan": InvalidRows.of([(5, 4.0)])})}, "error"),
    "label-range": ({"train": split(40, 40, 40, label_counts={-1: 1, 0: 39, 1: 40, 2: 40})}, "error"),
    "label-fraction": ({"train": split(40, 40, 40, invalid={"label-fraction": InvalidRows.of([(5, 0.5)])})}, "error"),
    "label-nan": ({"test": split(10, 10, 10, invalid={"label-nan": InvalidRows.of([(5, 0.0)])})}, "error"),
    "class-untrained": ({"train": split(40, 40), "test": split(12, 12, 1)}, "error"),
    "class-untested": ({"train": split(40, 40, 12), "test": split(15, 15)}, "warn"),
    "class-unused": ({"train": split(40, 40), "test": split(10, 10)}, "warn"),
    "class-rare": ({"train": split(45, 40, 9)}, "warn"),
    "class-dominant": ({"train": split(981, 10, 10), "test": split(94, 3, 3)}, "error"),
    "channels-first": (
        {
            name: split(*counts, image_types=frozenset(["uint8 (3, 32, 24)"]))
            for name, counts in (("train", (40, 40, 40)), ("test", (10, 10, 10)))
        },
        "error",
    ),
    "leaks": ({"duplicates": duplicates(leaks=1, leak_groups=(LEAK,))}, "error"),
    "contradictions": ({"duplicates": duplicates(label_conflicts=1, label_conflict_groups=(CONFLICT,))}, "error"),
    "duplicates": ({"duplicates": duplicates(repeats={"train": 1}, repeat_groups=(REPEAT,))}, "warn"),
    "constant": ({"train": split(40, 40, 40, invalid={"constant": InvalidRows.of([(5, 0.0)])})}, "warn"),
    "skew": ({"train": split(4000, 40, 40), "test": split(10, 1000, 10)}, "error"),
    "drift": ({}, "warn"),
    "schema": ({}, "error"),
}
BASELINES = {"drift": {"drift": CHAMPION}, "schema": {"schema": SCHEMA}}


def breach(rule):
    """Statistics, params and baselines that break one rule alone, and the rule's default severity."""
    changes, severity = BREACHES[rule]
    # A skew comes with a dominant class.
    params = Params(max_class_fraction=1.0) if rule == "skew" else Params()
    return statistics(**changes), params, BASELINES.get(rule, {}), severity
