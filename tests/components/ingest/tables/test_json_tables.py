"""JSON and CSV that would lose labels in silence, or end in a traceback."""

from __future__ import annotations

import json

import numpy as np
import pytest

from serving.batch.images import find_images
from serving.errors import InputError
from tests.components.ingest.tables.reading import plan, refusal
from tests.table_files import NAMES, pictures, save_png, write_hub_parquet, write_rows

ROWS = 12
IMAGES, LABELS = pictures(ROWS)
FILES = [f"{row}.png" for row in range(ROWS)]


@pytest.fixture
def path(tmp_path):
    for file, image in zip(FILES, IMAGES, strict=True):
        save_png(tmp_path / "set" / file, image)
    return tmp_path / "set" / "t.json"


def coco():
    return {
        "images": [{"id": row, "file_name": file} for row, file in enumerate(FILES)],
        "annotations": [{"image_id": row, "category_id": int(label)} for row, label in enumerate(LABELS)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(NAMES)],
    }


def test_name_that_occurs_twice_is_refused(path):
    path.write_text('{"0.png": "cat", "1.png": "dog", "0.png": "dog"}')
    assert "has '0.png' twice in one object" in refusal(path)


def test_value_that_is_a_list_is_no_label_and_another_column_is_not_taken_for_it(path):
    path.write_text(json.dumps([{"file": file, "label": ["cat"], "width": row} for row, file in enumerate(FILES)]))
    assert "column label, row 0: there is no value" in refusal(path)


def test_lists_of_splits_are_no_classes(path):
    path.write_text(json.dumps({"train": FILES[:8], "test": FILES[8:]}))
    assert "lists the pictures of splits, but not their classes" in refusal(path)


@pytest.mark.parametrize(("part", "count"), [("images", ROWS), ("categories", len(NAMES))])
def test_ids_that_occur_twice_are_refused(path, part, count):
    content = coco()
    content[part][count - 1]["id"] = 0
    path.write_text(json.dumps(content))
    assert f"has 2 {part} with the id 0" in refusal(path)


def test_byte_order_mark_is_no_content(path):
    path.write_text(json.dumps(dict(zip(FILES, ["a", "b"] * 6, strict=True))), encoding="utf-8-sig")
    assert plan(path).class_names == ("a", "b")


def test_open_quotation_mark_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('label,p0,p1,p2,p3\n"a,1,2,3,4\n' + "b,1,2,3,4\n" * 30_000)
    assert "a quotation mark that is not closed" in refusal(path)


def test_columns_of_three_channels_are_not_read_as_one(tmp_path):
    names = [f"{channel}{number}" for channel in "rgb" for number in range(4)]
    path = write_rows(tmp_path / "t.csv", ["label", *names], [[row % 2, *[row] * 12] for row in range(30)])
    assert "has 4 columns like each of 'r0', 'g0', 'b0'" in refusal(path)


def test_table_without_rows_is_refused_by_the_scorer(tmp_path):
    path = write_hub_parquet(tmp_path / "t.parquet", [], np.empty(0, np.int64))
    with pytest.raises(InputError, match="has no rows"):
        find_images([str(path)])


def test_picture_beside_the_splits_does_not_join_them(tmp_path):
    for row, image in enumerate(IMAGES):
        save_png(tmp_path / "set" / ("train" if row < 8 else "test") / f"cat.{row}.png", image)
    save_png(tmp_path / "set" / "dog.0.png", IMAGES[0])
    with pytest.raises(InputError, match=r"dog\.0\.png lies beside the folders of the splits"):
        plan(tmp_path / "set", "folder", class_pattern=r"([a-z]+)[.]\d")
