"""plain_labels: text and one-hot labels are the classes that sklearn and numpy find; others are refused by row."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from components.ingest.arrays import array_location, mat_file, plain_labels
from tests.components.ingest.arrays.array_files import (
    EXPECTED,
    HALVES,
    IMAGES,
    LABELS,
    assert_same,
    plan,
    read_rows,
    refusal,
    saved,
)
from tests.lacking_file_system import refuse_calls

ANIMALS = np.array(["cat", "ox", "tiger"])


def labelled(tmp_path, form, **changes):
    """The set with its labels in another form, a function of class numbers."""
    arrays = {name: form(array) if name.startswith("y") else array for name, array in HALVES.items()}
    return saved(tmp_path, **{**arrays, **changes})


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.float32, ">f8"])
@pytest.mark.parametrize("order", "CF")
def test_one_hot_labels_are_class_numbers(tmp_path, dtype, order, monkeypatch):
    monkeypatch.setattr("components.ingest.arrays.array_location.PIECE_BYTES", 60)
    planned = plan(labelled(tmp_path, lambda y: np.asarray(np.eye(4)[y], dtype, order=order)), tmp_path)
    assert_same(planned, EXPECTED)
    assert planned.class_names == ("0", "1", "2", "3")
    named = plan(labelled(tmp_path, lambda y: np.eye(3)[y], class_names=ANIMALS), tmp_path)
    assert named.class_names == tuple(ANIMALS)
    assert_same(named, EXPECTED)


@pytest.mark.parametrize(
    ("row", "fault"),
    [([0, 0, 0], "0 ones"), ([1, 0, 1], "2 ones"), ([0.25, 0.75, 0], "the value 0.25"), ([1, 0, -1], "the value -1.0")],
)
def test_rows_that_are_not_one_hot_are_refused(tmp_path, row, fault, monkeypatch):
    monkeypatch.setattr("components.ingest.arrays.array_location.PIECE_BYTES", 60)
    rows = np.eye(3)[HALVES["y_train"]]
    rows[9] = row
    message = refusal(labelled(tmp_path, lambda y: np.eye(3)[y], y_train=rows), tmp_path)
    assert f"y_train has one-hot labels of 3 classes, but row 9 has {fault}: save a single 1" in message


def test_one_hot_labels_of_other_numbers_of_classes_are_refused(tmp_path):
    file = labelled(tmp_path, lambda y: np.eye(3)[y], y_test=np.eye(4)[LABELS[20:]])
    assert "y_test has one-hot labels of 4 classes, the set has 3" in refusal(file, tmp_path)
    file = labelled(tmp_path, lambda y: np.eye(3)[y], class_names=["a", "b"])
    assert "y_train has one-hot labels of 3 classes, the set has 2" in refusal(file, tmp_path)
    file = labelled(tmp_path, lambda y: np.eye(3)[y])
    assert "--ingest.classes 5: " in refusal(file, tmp_path, classes=5)
    assert plan(file, tmp_path, classes=3).class_names == ("0", "1", "2")


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("dtype", ["<U5", ">U9", "S5"])
def test_text_labels_are_classes_in_natural_order(tmp_path, dtype, column, monkeypatch):
    monkeypatch.setattr("components.ingest.arrays.array_location.PIECE_BYTES", 60)
    planned = plan(labelled(tmp_path, lambda y: ANIMALS[y].astype(dtype).reshape((-1, 1) if column else -1)), tmp_path)
    assert planned.class_names == ("cat", "ox", "tiger")
    assert_same(planned, EXPECTED)


def test_numbers_as_text_are_sorted_as_numbers(tmp_path):
    names = np.array(["2", "10", "100"])
    planned = plan(labelled(tmp_path, lambda y: names[y]), tmp_path)
    assert planned.class_names == ("2", "10", "100")
    assert_same(planned, EXPECTED)


def test_names_of_all_splits_are_classes_and_class_names_give_their_order(tmp_path):
    test = np.where(LABELS[20:] == 0, "bee", ANIMALS[LABELS[20:]])
    planned = plan(labelled(tmp_path, lambda y: ANIMALS[y], y_test=test), tmp_path)
    assert planned.class_names == ("bee", "cat", "ox", "tiger")
    np.testing.assert_array_equal(np.array(planned.class_names)[read_rows(planned, "test")[1]], test)
    planned = plan(labelled(tmp_path, lambda y: ANIMALS[y], class_names=ANIMALS[::-1]), tmp_path)
    assert planned.class_names == ("tiger", "ox", "cat")
    np.testing.assert_array_equal(read_rows(planned, "train")[1], 2 - LABELS[:20])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({9: "lynx"}, "y_train has the label 'lynx' in row 9, which is not a class: give a name of a class"),
        ({9: "tigre"}, "y_train has the label 'tigre' in row 9, which is not a class: did you mean 'tiger'?"),
    ],
)
def test_text_that_is_no_class_name_is_refused(tmp_path, changed, message):
    labels = ANIMALS[LABELS[:20]]
    for row, name in changed.items():
        labels[row] = name
    file = labelled(tmp_path, lambda y: ANIMALS[y], y_train=labels, class_names=ANIMALS)
    assert message in refusal(file, tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "y_train has an empty text as the label of row 9: give every image its class"),
        ("Cat", "y_train holds the labels 'Cat' and 'cat', which differ only in upper and lower case: save one name"),
        ("cat ", "y_train holds the labels 'cat' and 'cat ', which differ only in spaces"),
    ],
)
def test_names_that_read_the_same_are_refused(tmp_path, name, message):
    labels = ANIMALS[LABELS[:20]]
    labels[9] = name
    assert message in refusal(labelled(tmp_path, lambda y: ANIMALS[y], y_train=labels), tmp_path)


def test_bytes_that_are_not_text_are_refused(tmp_path):
    labels = ANIMALS[LABELS[:20]].astype("S5")
    labels[3] = b"\xff"
    message = refusal(labelled(tmp_path, lambda y: ANIMALS[y].astype("S5"), y_train=labels), tmp_path)
    assert "y_train holds labels that are not valid text" in message


def test_labels_of_two_kinds_are_refused(tmp_path):
    file = labelled(tmp_path, lambda y: ANIMALS[y], y_test=LABELS[20:])
    assert re.search("y_train holds text and .*y_test numbers: save the labels of all", refusal(file, tmp_path))
    file = labelled(tmp_path, lambda y: ANIMALS[y], y_test=LABELS[20:], class_names=ANIMALS)
    assert_same(plan(file, tmp_path), EXPECTED)


def test_more_different_texts_than_classes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("components.ingest.arrays.plain_labels.MAX_CLASSES", 10)
    file = saved(tmp_path, x=IMAGES, y=np.arange(30).astype(str))
    assert "shapes.npz/y has more than 10 different labels: save the class" in refusal(file, tmp_path)


@pytest.mark.parametrize("full", [False, True])
def test_files_are_written_without_memory_maps_which_would_end_the_process_on_a_full_disk(tmp_path, monkeypatch, full):
    np.save(tmp_path / "labels.npy", LABELS)
    scipy.io.savemat(tmp_path / "set.mat", {"X": IMAGES})
    labels = array_location.UnpackedArray(tmp_path / "labels.npy", tmp_path / "labels.npy", "labels")
    files = [array_location.scratch_file(tmp_path, labels.name / "numbers"), tmp_path / "X"]
    writes = [
        lambda: plain_labels.write_labels(labels, tmp_path, lambda values, _: values),
        lambda: mat_file.write_variable(tmp_path / "set.mat", "X", files[1], rows_last=False),
    ]
    if full:
        if not Path("/dev/full").exists():
            pytest.skip("the system has no device that is full")
        for file in files:
            file.symlink_to("/dev/full")
    refuse_calls(errno.ENODEV, monkeypatch.setattr)
    for write, file, wanted in zip(writes, files, (LABELS, IMAGES), strict=True):
        if full:
            with pytest.raises(OSError, match="No space left on device"):
                write()
        else:
            write()
            np.testing.assert_array_equal(np.load(file), wanted)
