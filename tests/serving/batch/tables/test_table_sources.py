"""Tables to score: images and labels, refusals, and what is read of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from serving.batch.images import find_images
from serving.batch.labels import open_labels
from serving.errors import InputError
from tests.table_files import NAMES, pictures, png, write_hub_parquet, write_pixels, write_rows, write_tar

IMAGES, LABELS = pictures(40, (6, 6))


@pytest.mark.parametrize("values", [LABELS.tolist(), [NAMES[label] for label in LABELS]], ids=["numbers", "names"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_labels_of_a_table(tmp_path, values, suffix):
    labels = open_labels(write_pixels(tmp_path / f"t{suffix}", IMAGES, values), NAMES)
    assert labels.rows == 40
    np.testing.assert_array_equal(labels.read(3, 29), LABELS[3:29])


def test_labels_that_are_not_classes_are_refused(tmp_path):
    path = write_pixels(tmp_path / "t.csv", IMAGES, [*(NAMES[label] for label in LABELS[:-1]), "onee"])
    with pytest.raises(InputError, match=r"has the label 'onee' in row 39, which is not a class: did you mean 'one'"):
        open_labels(path, NAMES)
    path = write_rows(tmp_path / "u.csv", ["a", "b"], [[1, 2]])
    with pytest.raises(InputError, match=r"none of them named label: rename the column"):
        open_labels(path, NAMES)


def test_any_part_of_a_table_is_read(tmp_path):
    contents = [png(image) for image in IMAGES]
    tables = [
        write_pixels(tmp_path / "p.csv", IMAGES, LABELS),
        write_hub_parquet(tmp_path / "h.parquet", contents, LABELS),
        write_tar(tmp_path / "t.tar", {f"{row:03d}.png": content for row, content in enumerate(contents)}),
    ]
    for path in tables:
        source = find_images([str(path)])
        for start, stop in ((0, 40), (7, 9), (39, 40)):
            np.testing.assert_array_equal(source.read(start, stop, (6, 6, 1)).images[..., 0], IMAGES[start:stop])
    joined = find_images([str(path) for path in tables])
    assert joined.rows == 120
    np.testing.assert_array_equal(joined.read(35, 85, (6, 6, 1)).images[..., 0], np.tile(IMAGES, (3, 1, 1))[35:85])


def test_bad_pictures_of_a_table_are_skipped_by_row(tmp_path):
    contents = [png(image) for image in IMAGES]
    path = write_hub_parquet(tmp_path / "h.parquet", [*contents[:4], b"no picture", *contents[5:]], LABELS)
    block = find_images([str(path)], skip_bad=True).read(0, 40, (6, 6, 1))
    ((row, reason),) = block.unreadable
    assert row == 4
    assert reason.startswith(f"{path}, row 4, is not a picture")
    with pytest.raises(InputError, match="row 4, is not a picture"):
        find_images([str(path)]).read(0, 40, (6, 6, 1))


def test_table_that_changes_meanwhile_is_refused(tmp_path):
    path = write_pixels(tmp_path / "t.csv", IMAGES, LABELS)
    source = find_images([str(path)])
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError, match="was changed while it was read"):
        source.require_unchanged()


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        (["name", "label"], ["a.png", "one"], "neither pixels (pixel0, pixel1, …) nor pictures as bytes"),
        (["a", "a"], [1, 2], "has two columns 'a'"),
        (["label", "class", "pixel0"], [1, 2, 3], "which one is the label"),
    ],
)
def test_table_without_images_is_refused(tmp_path, header, row, reason):
    path = write_rows(tmp_path / "t.csv", header, [row])
    with pytest.raises(InputError) as error:
        find_images([str(path)])
    assert reason in str(error.value)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.tar"])
def test_damaged_table_is_refused(tmp_path, name):
    path = tmp_path / name
    if name == "t.csv":
        write_pixels(path, IMAGES, LABELS)
        path.write_text(path.read_text() + "1,2,3\n")
    elif name == "t.parquet":
        write_hub_parquet(path, [png(image) for image in IMAGES], LABELS)
        path.write_bytes(path.read_bytes()[:-20])
    else:
        write_tar(path, {f"{row}.png": png(image) for row, image in enumerate(IMAGES)})
        path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="is damaged"):
        find_images([str(path)])


def test_missing_pyarrow_is_named(tmp_path, monkeypatch):
    path = write_pixels(tmp_path / "t.csv", IMAGES, LABELS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="tables need pyarrow, which is not installed: pip install pyarrow"):
        find_images([str(path)])


@pytest.mark.parametrize("header", ["label\n", "", "of the images\n"])
@pytest.mark.parametrize("values", [LABELS.tolist(), [NAMES[label] for label in LABELS]], ids=["numbers", "names"])
def test_labels_in_lines(tmp_path, header, values):
    if not header and isinstance(values[0], str):
        pytest.skip("the first name would be taken for the name of the column")
    path = tmp_path / "labels.csv"
    path.write_text(header + "".join(f"{value}\n" for value in values))
    np.testing.assert_array_equal(open_labels(path, NAMES).read(0, 40), LABELS)


def test_pixels_of_a_table_cannot_be_resized_because_their_shape_is_not_known(tmp_path):
    source = find_images([str(write_pixels(tmp_path / "t.csv", IMAGES, LABELS))], resize=True)
    assert source.fits((6, 6, 1))
    assert source.fits((4, 9, 1))
    assert not source.fits((12, 12, 1))
