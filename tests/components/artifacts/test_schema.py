"""schema: a written schema is read back, and every other file is refused in one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.schema import Schema
from serving.errors import InputError
from serving.files import canonical_json
from tests.components.statistics_by_hand import DECLARED, split

GOOD = Schema.of(DECLARED, split(4, 5, 6)).to_json()
REMEDY = "write a schema with python -m pipeline schema RUN --out FILE"


@given(st.lists(st.integers(0, 2**59), min_size=3, max_size=3), st.integers(0, 2**62))
def test_written_schema_is_read_back(label_counts, pixels):
    counts = ((pixels,) * 256,) * 2
    schema = Schema.of(DECLARED, split(*label_counts, pixel_counts=counts))
    read = Schema.parse(canonical_json(schema.to_json()).encode(), "schema.json")
    assert read == schema
    assert read.digest() == schema.digest()
    assert hash(read) == hash(schema)


def test_schema_has_the_counts_of_the_statistics(made):
    train = made.statistics.splits["train"]
    schema = Schema.of(made.examples, train)
    images, labels = made.examples.all_images("train"), made.examples.all_labels("train")
    assert (schema.dataset, schema.image_shape, schema.rows) == ("tiny", (8, 8, 1), 600)
    assert schema.class_names == made.examples.class_names
    assert schema.label_counts == tuple(np.bincount(labels, minlength=4))
    assert schema.pixel_counts == (tuple(np.bincount(images.ravel(), minlength=256)),)


def test_labels_outside_the_classes_are_left_out():
    counted = split(9, label_counts={-1: 2, 0: 3, 2: 3, 7: 1})
    assert Schema.of(DECLARED, counted).label_counts == (3, 0, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "the schema has format 2, this release reads format 1"),
        ({"rows": None}, "rows is null: it should be an integer"),
        ({"rows": -1}, "the value is not valid: counts must be from 0 to 2⁶³ - 1, one is -1"),
        ({"rows": True}, "rows is true"),
        ({"dataset": 3}, "dataset is 3"),
        ({"image_shape": [2, 2]}, "image_shape is a list of 2: it should be a list of 3"),
        ({"image_shape": 4}, "image_shape is 4"),
        ({"class_names": ["cat", "dog"]}, "the value is not valid: 3 label_counts do not match 2 class_names"),
        ({"class_names": ["cat", "dog", 3]}, "class_names[2] is 3"),
        ({"label_counts": [1, 2, 3.5]}, "label_counts[2] is 3.5"),
        ({"pixel_counts": [[1] * 255]}, "the value is not valid: pixel_counts must hold 256 counts for each channel"),
        ({"pixel_counts": [1]}, "pixel_counts[0] is 1: it should be a list"),
        (
            {"pixel_counts": [[1] * 255 + [2**64]]},
            "the value is not valid: counts must be from 0 to 2⁶³ - 1",
        ),
    ],
)
def test_damaged_file_is_refused_in_one_sentence(tmp_path, change, message):
    (tmp_path / "schema.json").write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(InputError) as error:
        Schema.load(tmp_path / "schema.json")
    assert str(error.value).startswith(f"{tmp_path}/schema.json: {message}")
    assert str(error.value).endswith(REMEDY)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field", list(GOOD))
def test_missing_field_is_named(tmp_path, field):
    (tmp_path / "schema.json").write_text(json.dumps({name: value for name, value in GOOD.items() if name != field}))
    with pytest.raises(InputError, match=f"schema has format None|the value has no field {field}: it should be"):
        Schema.load(tmp_path / "schema.json")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b"null", b"{", b"[" * 100_000])
def test_file_of_another_format_is_refused(tmp_path, content):
    (tmp_path / "schema.json").write_bytes(content)
    with pytest.raises(InputError, match="write a schema with python -m pipeline schema"):
        Schema.load(tmp_path / "schema.json")


def test_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"schema .*nowhere cannot be read \(No such file"):
        Schema.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        Schema.load(tmp_path)
