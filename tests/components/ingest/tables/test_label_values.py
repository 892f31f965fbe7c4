"""Labels in tables that would become wrong classes in silence."""

from __future__ import annotations

import numpy as np
import pyarrow
import pytest

from components.ingest.tables.label_values import LabelValues
from serving.errors import InputError
from tests.components.ingest.tables.reading import refusal
from tests.table_files import pictures, png, write_hub_parquet


def classes(path, *values):
    found = LabelValues(path, "label")
    found.add("train", pyarrow.array(values))
    return found.classes(None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1", "01", "2"), "has '1' and '01', the same number: write both in one way"),
        (("1000", "1e3"), "has '1000' and '1e3', the same number"),
        (("0", "1", "nan"), "has numbers and 'nan', which is not a class number"),
        (("0", "1", "2.5"), "has numbers and '2.5', which is not a class number"),
        (("cat", " "), "has a label of spaces alone"),
        (("0", "999999999"), "has the label 999999999, class numbers are below 10,000"),
    ],
)
def test_values_that_are_no_classes_are_refused(tmp_path, values, expected):
    with pytest.raises(InputError) as error:
        classes(tmp_path, *values)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("values", "numbers", "names"),
    [
        (("3.0", "3", "1"), [3, 3, 1], None),
        (("007", "009", "010"), [0, 1, 2], ("007", "009", "010")),
        (("9", "nan", "cat"), [0, 2, 1], ("9", "cat", "nan")),
    ],
)
def test_other_values_are_numbers_or_names(tmp_path, values, numbers, names):
    found = classes(tmp_path, *values)
    assert found.labels["train"].tolist() == numbers
    assert found.class_names == names


def test_files_that_declare_different_class_names_are_refused(tmp_path):
    images, labels = pictures(30)
    contents = [png(image) for image in images]
    (tmp_path / "set").mkdir()
    write_hub_parquet(tmp_path / "set" / "train.parquet", contents[:20], labels[:20], ("a", "b", "c"))
    write_hub_parquet(tmp_path / "set" / "test.parquet", contents[20:], labels[20:], ("c", "b", "a"))
    assert "declare different class names for label" in refusal(tmp_path / "set")


def test_label_beyond_all_classes_is_refused_beside_pictures(tmp_path):
    images, labels = pictures(30)
    path = write_hub_parquet(tmp_path / "t.parquet", map(png, images), np.where(labels == 2, 10_000, labels), ())
    assert "has the label 10000, class numbers are below 10,000" in refusal(path)
