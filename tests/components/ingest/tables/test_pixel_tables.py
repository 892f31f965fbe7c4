"""Tables of pixels: the images and labels of CSV and Parquet files with columns of many names."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from serving.batch.images import find_images
from serving.batch.tables import csv_table
from tests.components.ingest.tables.reading import plan, refusal, rows, same_rows
from tests.table_files import NAMES, pictures, write_pixels, write_rows

IMAGES, LABELS = pictures(30, (5, 5))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("label", ["numbers", "text"])
def test_rows_of_two_tables_are_the_splits(tmp_path, suffix, label):
    folder = tmp_path / "set"
    folder.mkdir()
    values = LABELS if label == "numbers" else [NAMES[number] for number in LABELS]
    write_pixels(folder / f"mnist_train{suffix}", IMAGES[:20], values[:20])
    write_pixels(folder / f"mnist_test{suffix}", IMAGES[20:], values[20:])
    found = plan(folder)
    assert found.class_names == (("0", "1", "2") if label == "numbers" else ("one", "two", "zero"))
    expected = LABELS if label == "numbers" else np.array([found.class_names.index(name) for name in values])
    for split, part in (("train", slice(0, 20)), ("test", slice(20, 30))):
        images, labels = rows(found, split)
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
        np.testing.assert_array_equal(images[..., 0], IMAGES[part])
        np.testing.assert_array_equal(labels, expected[part])


def test_one_table_is_cut_into_splits_as_any_set_of_one_split(tmp_path):
    found = plan(write_pixels(tmp_path / "one.csv", IMAGES, LABELS))
    np.testing.assert_array_equal(rows(found, "train")[0][..., 0], IMAGES[:24])
    np.testing.assert_array_equal(rows(found, "test")[0][..., 0], IMAGES[24:])


@pytest.mark.parametrize("column", ["split", "Subset"])
def test_column_of_splits_divides_the_rows(tmp_path, column):
    flat = IMAGES.reshape(30, -1)
    splits = ["train" if number % 3 else "test" for number in range(30)]
    header = [column, "label", *(f"p{number}" for number in range(25))]
    lines = [[split, label, *image] for split, label, image in zip(splits, LABELS.tolist(), flat.tolist(), strict=True)]
    found = plan(write_rows(tmp_path / "s.csv", header, lines))
    test = np.array(splits) == "test"
    np.testing.assert_array_equal(rows(found, "test")[0][..., 0], IMAGES[test])
    np.testing.assert_array_equal(rows(found, "train")[0][..., 0], IMAGES[~test])


@pytest.mark.parametrize("first", [True, False])
def test_file_without_names_has_the_label_where_the_other_end_is_a_border(tmp_path, first):
    images = IMAGES.copy()
    images[:, 0, 0] = images[:, -1, -1] = 0
    columns = [LABELS[:, None], images.reshape(30, -1)]
    table = np.concatenate(columns if first else columns[::-1], axis=1)
    np.savetxt(tmp_path / "plain.csv", table, fmt="%d", delimiter=",")
    images_found, labels = rows(plan(tmp_path / "plain.csv"), "train")
    np.testing.assert_array_equal(images_found[..., 0], images[:24])
    np.testing.assert_array_equal(labels, LABELS[:24])


def test_label_is_found_in_a_file_that_starts_with_one_class(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "BATCH_BYTES", 300)
    images = IMAGES.copy()
    images[:, 0, 0] = 0
    order = np.argsort(LABELS, kind="stable")
    # The last pixel varies within the first class, so that it may be the label too.
    np.savetxt(tmp_path / "s.csv", np.c_[LABELS, images.reshape(30, -1)][order], fmt="%d", delimiter=",")
    assert "may both be the label" in refusal(tmp_path / "s.csv")


def test_file_without_names_whose_ends_both_vary_needs_the_position_of_the_label(tmp_path):
    np.savetxt(tmp_path / "p.csv", np.c_[LABELS, IMAGES.reshape(30, -1)], fmt="%d", delimiter=",")
    assert "may both be the label: say which with --ingest.label-column 0 or 25" in refusal(tmp_path / "p.csv")
    found = rows(plan(tmp_path / "p.csv", label_column="0"), "train")
    np.testing.assert_array_equal(found[0][..., 0], IMAGES[:24])


@pytest.mark.parametrize("form", ["pixel{}", "{}", "px_{:03d}", "{row}x{column}", "X{}"])
def test_pixels_are_ordered_by_the_numbers_in_their_names(tmp_path, form):
    named = {
        form.format(number, row=number // 5 + 1, column=number % 5 + 1): IMAGES.reshape(30, -1)[:, number]
        for number in range(25)
    }
    # Sorted as text, as some tools write them: pixel1, pixel10, pixel11, pixel2.
    ordered = {name: named[name] for name in sorted(named)}
    pyarrow.parquet.write_table(pyarrow.table({**ordered, "class": LABELS}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(rows(plan(tmp_path / "t.parquet"), "train")[0][..., 0], IMAGES[:24])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_text_is_read_in_each_usual_form(tmp_path, delimiter, packed, start):
    lines = [delimiter.join(["id", "label", *(f"pixel{number}" for number in range(25))])]
    lines += [
        delimiter.join(map(str, [f"row {number}", label, *image.reshape(-1)]))
        for number, (image, label) in enumerate(zip(IMAGES, LABELS.tolist(), strict=True))
    ]
    content = (start + "\r\n".join(lines) + "\r\n").encode()
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    np.testing.assert_array_equal(rows(plan(path), "train")[0][..., 0], IMAGES[:24])
    source = find_images([str(path)])
    np.testing.assert_array_equal(source.read(0, 30, (5, 5, 1)).images[..., 0], IMAGES)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("256", "column pixel3, row 7: invalid value '256'"),
        ("-1", "column pixel3, row 7: invalid value '-1'"),
        ("0.5", "column pixel3, row 7: invalid value '0.5'"),
        ("", "column pixel3, row 7: there is no value"),
    ],
)
def test_value_that_is_no_pixel_is_named_with_its_row(tmp_path, value, expected):
    path = write_pixels(tmp_path / "t.csv", IMAGES, LABELS)
    lines = path.read_text().splitlines()
    cells = lines[8].split(",")
    lines[8] = ",".join([*cells[:4], value, *cells[5:]])
    path.write_text("\n".join(lines) + "\n")
    message = refusal(path)
    assert expected in message
    assert "after multiplying by 255 if they range from 0 to 1" in message


def test_fractions_in_parquet_are_refused(tmp_path):
    columns = {f"pixel{number}": IMAGES.reshape(30, -1)[:, number] / 255 for number in range(25)}
    pyarrow.parquet.write_table(pyarrow.table({"label": LABELS, **columns}), tmp_path / "t.parquet")
    assert "column pixel0: " in refusal(tmp_path / "t.parquet")


def test_shape_of_colour_is_given(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (30, 4, 3, 3)).astype(np.uint8)
    path = write_pixels(tmp_path / "t.csv", images, LABELS)
    # 36 is a square, so that the numbers alone would be a grey image.
    assert plan(path).image_shape == (6, 6, 1)
    np.testing.assert_array_equal(rows(plan(path, image_shape=(4, 3, 3)), "train")[0], images[:24])
    assert "36 columns of pixels, not those of --ingest.image-shape 4 4 3" in refusal(path, image_shape=(4, 4, 3))
    other = write_pixels(tmp_path / "o.csv", images[:, :, :2].repeat(2, 1)[:, :4], LABELS)
    assert "24 columns of pixels, no grey square: give --ingest.image-shape" in refusal(other)


@pytest.mark.parametrize("kind", ["smooth", "coarse", "grey", "noise"])
def test_planes_of_colours_are_refused(tmp_path, kind):
    random = np.random.default_rng(2)
    coarse = random.integers(40, 200, (30, 4, 4, 1 if kind == "grey" else 3)).repeat(3, 1).repeat(3, 2)
    places = np.arange(12)
    smooth = (places[:, None] * 8 + places * 3)[..., None] + np.array([0, 80, 40])
    images = {"smooth": smooth[None], "noise": random.integers(0, 240, (30, 12, 12, 3))}.get(kind, coarse)
    images = (images + random.integers(0, 8, (30, 12, 12, 3))).astype(np.uint8)
    given = {"image_shape": (12, 12, 3)}
    path = write_pixels(tmp_path / "sides.csv", images, LABELS)
    np.testing.assert_array_equal(rows(plan(path, **given), "train")[0], images[:24])
    assert "columns of one colour after the other are not read" in refusal(path, image_shape=(3, 12, 12))
    planes = images.transpose(0, 3, 1, 2)
    path = write_pixels(tmp_path / "planes.csv", planes, LABELS)
    if kind == "noise":
        assert plan(path, **given).image_shape == (12, 12, 3)
        return
    assert "its pixels look like planes: columns of one colour after the other are not" in refusal(path, **given)
    # The message has the remedy.
    remedied = planes.reshape(30, -1).reshape(-1, 3, 12, 12).transpose(0, 2, 3, 1).reshape(30, -1)
    np.testing.assert_array_equal(remedied.reshape(images.shape), images)


def test_images_of_one_row_have_no_neighbours_to_compare(tmp_path):
    path = write_pixels(tmp_path / "t.csv", IMAGES[:, :3, :4], LABELS)
    assert plan(path, image_shape=(1, 4, 3)).image_shape == (1, 4, 3)


def test_only_other_column_is_named_as_the_label(tmp_path):
    named = {"kind": LABELS, **{f"p{number}": IMAGES.reshape(30, -1)[:, number] for number in range(25)}}
    pyarrow.parquet.write_table(pyarrow.table(named), tmp_path / "t.parquet")
    assert refusal(tmp_path / "t.parquet").endswith("--ingest.label-column kind")


def test_column_that_is_no_label_is_refused(tmp_path):
    path = write_rows(tmp_path / "t.csv", ["pixel0", "pixel1", "pixel2", "pixel3"], [[1, 2, 3, 4]] * 5)
    assert "say which one holds the labels with --ingest.label-column NAME" in refusal(path)
    assert "--ingest.label-column kind" in refusal(path, label_column="kind")


def test_two_tables_of_other_columns_are_refused(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    write_pixels(folder / "train.csv", IMAGES, LABELS)
    write_pixels(folder / "test.csv", IMAGES[:, :4, :4], LABELS)
    assert "have different columns" in refusal(folder)


def test_names_that_read_the_same_are_refused(tmp_path):
    names = ["cat", "dog", "Cat"] * 10
    message = refusal(write_pixels(tmp_path / "t.csv", IMAGES, names))
    assert "the labels 'Cat' and 'cat', which differ only in upper and lower case: write both in one way" in message


def test_scorer_reads_what_ingest_reads(tmp_path):
    path = write_pixels(tmp_path / "t.parquet", IMAGES, LABELS)
    found = plan(path)
    trained = np.concatenate([rows(found, "train")[0], rows(found, "test")[0]])
    source = find_images([str(path)])
    assert source.rows == 30
    np.testing.assert_array_equal(source.read(0, 30, found.image_shape).images, trained)
    assert same_rows((trained, LABELS), IMAGES[..., None], LABELS)
