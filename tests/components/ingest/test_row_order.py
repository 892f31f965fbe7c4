"""row_order: rows sorted by class are refused, in any order of the classes and in any pieces."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.row_order import require_mixed_classes
from serving.errors import InputError
from tests.components.ingest.arrays.array_files import IMAGES, LABELS, plan, refusal, saved


def refused(labels, size):
    parts = [labels[start : start + size] for start in range(0, len(labels), size)]
    try:
        require_mixed_classes(Path("set"), parts, "shuffle them")
    except InputError:
        return True
    return False


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", 4]), st.integers(1, 12)), max_size=6),
    st.integers(1, 9),
    st.booleans(),
)
def test_runs_of_each_class_are_found_as_itertools_finds_them(runs, size, column):
    labels = [str(label) for label, count in runs for _ in range(count)]
    grouped = [label for label, _ in groupby(labels)]
    is_sorted = len(grouped) == len(set(grouped))
    array = np.array(labels, "U1").reshape((-1, 1) if column else -1)
    assert refused(array, size) == (is_sorted and len(labels) >= 20 and 2 <= len(grouped) <= len(labels) // 2)


@pytest.mark.parametrize("order", [np.sort(LABELS), np.sort(LABELS)[::-1], np.eye(3)[np.sort(LABELS)]])
def test_sorted_arrays_of_one_split_are_refused_with_what_to_do(tmp_path, order):
    file = saved(tmp_path, x=IMAGES, y=order)
    assert (
        "shapes.npz: its 30 rows are sorted by class, so that the last 20 %, which would be the test rows, have only "
        "the last classes: shuffle images and labels alike before you save them, e.g. with order = "
        "numpy.random.default_rng(0).permutation(len(y)), x[order] and y[order]" in refusal(file, tmp_path)
    )
    # The user's own splits may have any classes.
    plan(file, tmp_path, train_split="train[:50%]", test_split="train[50%:]")


def test_the_advice_works(tmp_path):
    order = np.random.default_rng(0).permutation(len(LABELS))
    plan(saved(tmp_path, x=IMAGES[order], y=np.sort(LABELS)[order]), tmp_path)


def test_sorted_rows_of_two_splits_are_read(tmp_path):
    labels = np.sort(LABELS)
    plan(saved(tmp_path, x_train=IMAGES, y_train=labels, x_test=IMAGES, y_test=labels), tmp_path)
