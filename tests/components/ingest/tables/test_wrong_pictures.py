"""Tables of names of files that would give pictures another label, or lose one, in silence."""

from __future__ import annotations

import pyarrow
import pyarrow.parquet
import pytest

from tests.components.ingest.tables.reading import plan, refusal
from tests.table_files import NAMES, pictures, save_png, write_rows

IMAGES, LABELS = pictures(30)
TEXTS = [NAMES[label] for label in LABELS]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    for row, image in enumerate(IMAGES):
        save_png(root / "dog" / f"{row}.png", image)
    return root


def labels_of(found):
    """The label of each picture."""
    pairs = (zip(reader.files, reader.labels, strict=True) for reader in found.readers)
    return {file: found.class_names[label] for pair in pairs for file, label in pair}


EXPECTED = {f"dog/{row}.png": text for row, text in enumerate(TEXTS)}


def test_picture_of_another_folder_is_not_meant(folder):
    write_rows(folder / "t.csv", ("file", "label"), [("cat/0.png", "one"), ("dog/1.png", "two")])
    assert "names 1 of 2 pictures that do not exist: cat/0.png" in refusal(folder / "t.csv")
    write_rows(folder / "t.csv", ("file", "label"), [(f"/a/dog/{row}.png", text) for row, text in enumerate(TEXTS)])
    assert labels_of(plan(folder / "t.csv")) == EXPECTED


def test_columns_that_name_different_pictures_need_a_choice(folder):
    lines = [(29 - row, f"{row}.png", text) for row, text in enumerate(TEXTS)]
    write_rows(folder / "t.csv", ("id", "file", "label"), lines)
    assert labels_of(plan(folder / "t.csv")) == EXPECTED
    lines = [(f"{29 - row}.png", f"{row}.png", text) for row, text in enumerate(TEXTS)]
    write_rows(folder / "t.csv", ("other", "file", "label"), lines)
    assert "the columns 'other', 'file' name different pictures" in refusal(folder / "t.csv")
    assert labels_of(plan(folder / "t.csv", image_column="file")) == EXPECTED


@pytest.mark.parametrize("form", ["{}.png", "{}"])
def test_first_row_is_not_taken_for_names_of_columns(folder, form):
    lines = [(f"dog/{form}".format(row), text) for row, text in enumerate(TEXTS)]
    write_rows(folder / "t.csv", lines[0], lines[1:])
    assert f"has the picture dog/{form.format(0)} in its first line" in refusal(folder / "t.csv")


def test_other_columns_may_have_gaps(folder):
    lines = [("" if row == 3 else 7, f"{row}.png", text) for row, text in enumerate(TEXTS)]
    write_rows(folder / "t.csv", ("age", "file", "label"), lines)
    assert labels_of(plan(folder / "t.csv")) == EXPECTED


def test_picture_in_two_splits_is_refused(folder):
    lines = [(f"dog/{row}.png", text) for row, text in enumerate(TEXTS)]
    write_rows(folder / "train.csv", ("file", "label"), lines[:20])
    write_rows(folder / "test.csv", ("file", "label"), lines[19:])
    assert "dog/19.png is in the splits" in refusal(folder)


def test_classes_may_be_columns_of_booleans(folder):
    columns = {name: [text == name for text in TEXTS] for name in NAMES}
    table = pyarrow.table({"file": [f"{row}.png" for row in range(30)], **columns})
    pyarrow.parquet.write_table(table, folder / "t.parquet")
    assert labels_of(plan(folder / "t.parquet")) == EXPECTED
    lines = [(f"{row % 30}.png", "x" if row == 110 else int(row % 2), 1 - row % 2) for row in range(120)]
    write_rows(folder / "t.csv", ("file", "a", "b"), lines)
    assert "row 110: the columns 'a', 'b' have 1 ones" in refusal(folder / "t.csv")


def test_named_column_of_files_is_read_also_beside_numbers(folder):
    lines = [(f"{row}.png", text, 1, 2, 3, row) for row, text in enumerate(TEXTS)]
    write_rows(folder / "t.csv", ("file", "label", "f0", "f1", "f2", "f3"), lines)
    assert labels_of(plan(folder / "t.csv", image_column="file")) == EXPECTED
    assert "--ingest.image-column gone" in refusal(folder / "t.csv", image_column="gone")


@pytest.mark.parametrize("first", [True, False])
def test_column_of_splits_in_one_of_two_files_is_refused(tmp_path, first):
    (tmp_path / "set").mkdir()
    for number, with_split in enumerate((first, not first)):
        table = pyarrow.table({"image": [b"x"] * 3, "label": [0, 1, 2]})
        table = table.append_column("split", [["train", "test", "train"]]) if with_split else table
        pyarrow.parquet.write_table(table, tmp_path / "set" / f"t{number}.parquet")
    assert "have different columns" in refusal(tmp_path / "set")
