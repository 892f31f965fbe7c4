"""class_names: names and numbers of classes."""

from __future__ import annotations

import numpy as np
import pytest

import components.ingest.arrays.array_location
from tests.components.ingest.arrays.array_files import (
    HALVES,
    LABELS,
    plan,
    refusal,
    saved,
)


def test_class_names_are_read_from_any_text_type(tmp_path):
    names = np.array(["ring", "a, b", "花"])
    for stored in (names, names.astype(">U9"), np.array([name.encode() for name in names])):
        planned = plan(saved(tmp_path, **HALVES, class_names=stored), tmp_path, classes=3)
        assert planned.class_names == ("ring", "a, b", "花")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "a"], "class_names holds 'a' for the labels 0 and 2"),
        ([["a"], ["b"]], "class_names has shape (2, 1)"),
        ([], "class_names holds float64: save names as an array of text"),
        (np.array("a"), "class_names has shape ()"),
        ([1, 2], "class_names holds int64: save names as an array of text"),
        (np.array(["a", "b"], object), "class_names holds Python objects, which are never loaded"),
        ([b"a", b"\xff"], "class_names holds names that are not valid text"),
        (np.array([0xD800], "<u4").view("<U1"), "class_names holds names that are not valid text"),
        (np.array([0xFFFFFFFF], "<u4").view("<U1"), "class_names holds names that are not valid text"),
    ],
)
def test_invalid_names_are_refused(tmp_path, names, message):
    assert message in refusal(saved(tmp_path, **HALVES, class_names=names), tmp_path)


def test_number_of_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(components.ingest.arrays.array_location, "PIECE_BYTES", 56)

    def names(labels, **changes):
        return plan(saved(tmp_path, **{**HALVES, "y_train": labels}), tmp_path, **changes).class_names

    labels = LABELS[:20].astype(float)
    labels[[3, 11, 12, 13, 19]] = np.nan, np.inf, -np.inf, 7.5, 5
    assert names(labels) == tuple("012345")
    assert names(np.full(20, np.nan)) == ("0",)
    assert names(np.full(20, -3)) == ("0",)
    assert names(LABELS[:20], classes=5) == tuple("01234")
    # All labels of the training split count, and no test labels.
    assert names(np.arange(20) % 10, train_split="train[:2]") == tuple("0123456789")
    assert plan(saved(tmp_path, **{**HALVES, "y_test": LABELS[20:] + 9}), tmp_path).class_names == tuple("012")
    labels[17] = 1e30
    assert "y_train has the label 1e+30 in row 17: correct it, or give" in refusal_of(tmp_path, labels)
    assert "y_train has the label 10000 in row 19" in refusal_of(tmp_path, np.arange(9981, 10_001))
    assert len(names(np.arange(9980, 10_000))) == 10_000
    wrong = saved(tmp_path, **HALVES, class_names=["a", "b", "c"])
    assert "--ingest.classes 4: " in refusal(wrong, tmp_path, classes=4)


def refusal_of(tmp_path, labels):
    return refusal(saved(tmp_path, **{**HALVES, "y_train": labels}), tmp_path)
