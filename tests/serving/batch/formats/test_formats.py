"""formats: the files are read with independent readers: csv, json, numpy, pyarrow."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from serving.batch.formats import SUFFIXES, format_for
from serving.batch.formats.format import Columns, Predictions
from serving.errors import InputError
from serving.scoring.scorer import Scores

NAMES = ("plain", "comma, inside", 'quote "inside"', "snow 雪")
HARD_NAMES = (*NAMES, "two\nlines", "carriage\rreturn", '"', " spaces ", "", "100 %d", "back\\slash", "\t")


def random_scores(rows, classes=4, seed=3):
    probabilities = np.random.default_rng(seed).dirichlet(np.full(classes, 0.3), rows).astype(np.float32)
    return Scores(probabilities.argmax(axis=1), probabilities)


def save(folder, suffix, scores, columns, block_rows=7, files=None, unreadable=()):
    """Writes scores in blocks, as the command does. Returns: the file."""
    rows = len(scores.labels)
    target = folder / f"out{suffix}"
    form = format_for(target, columns)
    written = folder / f".out{suffix}"
    readable = ~np.isin(np.arange(rows), list(unreadable))
    with written.open("wb") as file:
        file.write(form.header(rows))
        for start in range(0, rows, block_rows):
            piece = slice(start, start + block_rows)
            block = Scores(scores.labels[piece], scores.probabilities[piece])
            file.write(form.encode(Predictions(start, block, files and files[piece], readable[piece])))
    return form.finish(written, folder / f".finished{suffix}").rename(target)


def rows_of(file):
    """The rows as dicts, by an independent reader of the format."""
    if file.suffix == ".csv":
        with file.open(newline="", encoding="utf-8") as opened:
            return list(csv.DictReader(opened))
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    return pyarrow.parquet.read_table(file).to_pylist()


def seven(probability):
    return float(f"{probability:.7g}")


TABLES = [".csv", ".jsonl", ".parquet"]


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize("rows", [0, 1, 7, 40])
def test_each_image_has_its_row(tmp_path, suffix, rows):
    scores = random_scores(rows)
    read = rows_of(save(tmp_path, suffix, scores, Columns(NAMES)))
    assert [int(row["index"]) for row in read] == list(range(rows))
    assert [int(row["label"]) for row in read] == scores.labels.tolist()
    assert [row["class"] for row in read] == [NAMES[label] for label in scores.labels]
    best = scores.probabilities.max(axis=1, initial=0)
    assert [seven(float(row["confidence"])) for row in read] == [seven(p) for p in best.tolist()]
    assert all(list(row) == ["index", "label", "class", "confidence"] for row in read)


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize("name", HARD_NAMES)
def test_any_class_name_and_file_name_is_unchanged(tmp_path, suffix, name):
    scores = Scores(np.array([1, 1]), np.full((2, 2), 0.5, np.float32))
    columns = Columns(("other", name), named=True, top=2)
    read = rows_of(save(tmp_path, suffix, scores, columns, files=[name, "b.png"]))
    assert [row["file"] for row in read] == [name, "b.png"]
    assert {row["class"] for row in read} | {row["class2"] for row in read} == {"other", name}


@pytest.mark.parametrize("suffix", TABLES)
def test_probabilities_have_one_column_per_class(tmp_path, suffix):
    scores = random_scores(20, classes=3)
    file = save(tmp_path, suffix, scores, Columns(("a", "b,", "c"), probabilities=True))
    read = rows_of(file)
    assert list(read[0]) == ["index", "label", "class", "confidence", "p0", "p1", "p2"]
    found = np.array([[float(row[f"p{label}"]) for label in range(3)] for row in read])
    np.testing.assert_allclose(found, scores.probabilities, rtol=5e-7, atol=0)
    assert [row["confidence"] for row in read] == [row[f"p{int(row['label'])}"] for row in read]


@pytest.mark.parametrize("suffix", TABLES)
def test_top_classes_are_sorted_by_probability(tmp_path, suffix):
    probabilities = np.array([[0.2, 0.5, 0.3, 0.0], [0.25, 0.25, 0.25, 0.25], [0.1, 0.4, 0.1, 0.4]], np.float32)
    scores = Scores(probabilities.argmax(axis=1), probabilities)
    read = rows_of(save(tmp_path, suffix, scores, Columns(NAMES, top=3)))
    assert list(read[0]) == [f"{column}{place}" if place else column for column, place in (
        ("index", ""), ("label", ""), ("class", ""), ("confidence", ""),
        ("label", 2), ("class", 2), ("confidence", 2), ("label", 3), ("class", 3), ("confidence", 3),
    )]  # fmt: skip
    ranked = [[int(row["label"]), int(row["label2"]), int(row["label3"])] for row in read]
    assert ranked == [[1, 2, 0], [0, 1, 2], [1, 3, 0]]
    assert [seven(float(row["confidence3"])) for row in read] == [0.2, 0.25, 0.1]
    assert [row["class2"] for row in read] == [NAMES[ranks[1]] for ranks in ranked]


@pytest.mark.parametrize("suffix", TABLES)
def test_unreadable_images_have_no_row_and_do_not_change_other_indices(tmp_path, suffix):
    scores = random_scores(20)
    read = rows_of(save(tmp_path, suffix, scores, Columns(NAMES), unreadable=(0, 6, 7, 19)))
    kept = [row for row in range(20) if row not in (0, 6, 7, 19)]
    assert [int(row["index"]) for row in read] == kept
    assert [int(row["label"]) for row in read] == scores.labels[kept].tolist()


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_npy_holds_labels(tmp_path, rows):
    scores = random_scores(rows)
    read = np.load(save(tmp_path, ".npy", scores, Columns(NAMES)))
    assert read.dtype == np.int64
    np.testing.assert_array_equal(read, scores.labels)


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_npy_with_probabilities_holds_them_exactly(tmp_path, rows):
    scores = random_scores(rows)
    read = np.load(save(tmp_path, ".npy", scores, Columns(NAMES, probabilities=True)))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, scores.probabilities)


def test_npy_with_the_top_classes_has_one_column_per_rank(tmp_path):
    scores = random_scores(20)
    read = np.load(save(tmp_path, ".npy", scores, Columns(NAMES, top=2)))
    assert read.shape == (20, 2)
    np.testing.assert_array_equal(read[:, 0], scores.labels)
    second = np.array(scores.probabilities)
    second[np.arange(20), scores.labels] = -1
    np.testing.assert_array_equal(read[:, 1], second.argmax(axis=1))


def test_npy_keeps_the_rows_of_unreadable_images(tmp_path):
    scores = random_scores(20)
    assert np.load(save(tmp_path, ".npy", scores, Columns(NAMES), unreadable=(3,)))[[2, 3]].tolist() == [
        scores.labels[2], -1,
    ]  # fmt: skip
    read = np.load(save(tmp_path, ".npy", scores, Columns(NAMES, probabilities=True), unreadable=(3,)))
    assert np.isnan(read).any(axis=1).tolist() == [row == 3 for row in range(20)]
    assert np.load(save(tmp_path, ".npy", scores, Columns(NAMES, top=2), unreadable=(3,)))[3].tolist() == [-1, -1]


def test_npy_holds_one_array():
    with pytest.raises(InputError, match=r"--top and --probabilities: \.npy holds one array"):
        format_for(Path("out.npy"), Columns(NAMES, probabilities=True, top=2))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_block_size_does_not_change_a_byte(tmp_path, suffix):
    scores = random_scores(40)
    columns = Columns(NAMES, probabilities=True)
    whole = save(tmp_path, suffix, scores, columns, block_rows=40).read_bytes()
    pieces = save(tmp_path, suffix, scores, columns, block_rows=3).read_bytes()
    assert whole == pieces


def test_parquet_has_the_columns_types_and_groups_of_many_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("serving.batch.formats.parquet.GROUP_ROWS", 20)
    columns = Columns(NAMES, named=True, probabilities=True)
    file = save(tmp_path, ".parquet", random_scores(50), columns, files=["x"] * 50)
    schema = pyarrow.parquet.read_schema(file)
    types = ["int64", "string", "int64", "string", *["float"] * 5]
    assert list(zip(schema.names, map(str, schema.types), strict=True)) == list(zip(columns.names, types, strict=True))
    read = pyarrow.parquet.ParquetFile(file)
    assert [read.metadata.row_group(group).num_rows for group in range(read.num_row_groups)] == [21, 21, 8]


def test_csv_of_empty_input_is_its_header(tmp_path):
    assert save(tmp_path, ".csv", random_scores(0), Columns(NAMES)).read_text() == "index,label,class,confidence\n"
    assert save(tmp_path, ".jsonl", random_scores(0), Columns(NAMES)).read_text() == ""


@pytest.mark.parametrize("name", ["out", "out.txt", "out.csv.gz", "csv", ".csv"])
def test_other_endings_are_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(InputError, match=r"ends in \.csv, \.npy, \.jsonl or \.parquet"):
        format_for(tmp_path / name, Columns(NAMES))
    assert SUFFIXES == (".csv", ".npy", ".jsonl", ".parquet")


@pytest.mark.parametrize("top", [0, 5, -1])
def test_top_outside_the_number_of_classes_is_refused(top):
    with pytest.raises(InputError, match=rf"--top {top}: the model has 4 classes"):
        Columns(NAMES, top=top)


def test_missing_pyarrow_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="which is not installed: pip install pyarrow, or write"):
        format_for(Path("out.parquet"), Columns(NAMES))


def test_numbers_of_json_lines_are_numbers(tmp_path):
    (row,) = rows_of(save(tmp_path, ".jsonl", random_scores(1), Columns(NAMES, probabilities=True)))
    assert [type(row[name]) for name in ("index", "label", "class")] == [int, int, str]
    assert math.isclose(sum(row[f"p{label}"] for label in range(4)), 1, abs_tol=1e-6)
