"""hold_out: every class is in both parts in proportion, and the choice depends only on labels, fraction and seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.train.hold_out import describe_missing, hold_out, last_rows
from serving.errors import BeamlineError

labels_of_classes = st.lists(st.integers(0, 6), min_size=1, max_size=200).map(np.array)
fractions = st.floats(0, 0.95)


@given(labels_of_classes, fractions, st.integers(0, 2**32 - 1))
def test_parts_are_disjoint_and_each_class_has_its_share(labels, fraction, seed):
    rows = len(labels)
    if rows - round(rows * fraction) < 1:
        return
    held = hold_out(labels, fraction, seed)
    assert sorted([*held.training, *held.validation]) == list(range(rows))
    assert np.all(np.diff(held.training) > 0)
    assert np.all(np.diff(held.validation) > 0)
    classes, chosen = Counter(labels.tolist()), Counter(labels[held.validation].tolist())
    total = round(rows * fraction)
    assert len(held.validation) == min(total, rows - len(classes))
    for label, size in classes.items():
        assert chosen[label] <= size - 1
        if all(size * total / rows <= size - 1 for size in classes.values()):
            assert abs(chosen[label] - size * total / rows) < 1
    assert held.missing == tuple(sorted(label for label in classes if not chosen[label]))


@given(labels_of_classes, st.integers(0, 1000))
def test_same_seed_chooses_the_same_rows_and_a_smaller_fraction_nearly_a_part_of_them(labels, seed):
    large, again, small = (set(hold_out(labels, fraction, seed).validation) for fraction in (0.4, 0.4, 0.2))
    assert large == again
    assert len(small - large) <= len(set(labels))


def test_other_seeds_choose_other_rows():
    labels = np.repeat(np.arange(4), 25)
    chosen = {tuple(hold_out(labels, 0.2, seed).validation) for seed in range(20)}
    assert len(chosen) == 20


def test_rows_do_not_depend_on_the_version_of_numpy():
    assert hold_out(np.arange(20) % 3, 0.3, 7).validation.tolist() == [0, 1, 2, 13, 17, 18]


def test_rows_sorted_by_class_are_held_out_from_every_class():
    labels = np.repeat(np.arange(10), 100)
    held = hold_out(labels, 1 / 6, 7)
    counts = np.bincount(labels[held.validation], minlength=10)
    assert counts.sum() == 167
    assert set(counts.tolist()) == {16, 17}


def test_class_without_validation_rows_is_named():
    labels = np.array([0] * 50 + [1] * 50 + [2])
    held = hold_out(labels, 0.1, 7)
    assert describe_missing(held, ("cat", "dog", "owl")) == (
        "classes with too few training images to have a validation image (1 in all): owl; the validation accuracy does "
        "not depend on them"
    )
    assert describe_missing(hold_out(labels, 0.0, 7), ("cat", "dog", "owl")) is None
    assert describe_missing(hold_out(labels[:100], 0.1, 7), ("cat", "dog", "owl")) is None
    many = hold_out(np.concatenate([np.arange(8), np.zeros(90, int)]), 0.1, 7)
    assert "(7 in all): b, c, d, e, f, …; the" in describe_missing(many, tuple("abcdefgh"))


def test_fraction_that_leaves_nothing_is_refused():
    with pytest.raises(BeamlineError, match=r"0\.95 leaves none of the 10 training rows to train on: give a smaller"):
        hold_out(np.zeros(10, int), 0.95, 7)


@given(labels_of_classes, st.data())
def test_own_validation_rows_are_the_last_ones(labels, data):
    count = data.draw(st.integers(0, len(labels) - 1))
    held = last_rows(labels, count)
    assert [*held.training, *held.validation] == list(range(len(labels)))
    assert len(held.validation) == count
    absent = set(labels[: len(labels) - count]) - set(labels[len(labels) - count :])
    assert set(held.missing) == absent
