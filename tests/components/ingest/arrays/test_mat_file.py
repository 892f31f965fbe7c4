"""mat_file, mat_order: variables of .mat files are those that scipy wrote, with the rows first."""

from __future__ import annotations

import logging
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.sparse import csr_array

from components.ingest.arrays.array_source import ArraySource
from serving.errors import InputError
from tests.components.ingest.arrays.array_files import EXPECTED, IMAGES, LABELS, assert_same, plan, read_rows, refusal

COLOURED = np.stack([IMAGES, IMAGES + 1, IMAGES + 2], axis=-1)
SPLITS = {"train": slice(None, 20), "test": slice(20, None)}
EXPECTED_COLOURED = {split: (COLOURED[rows], LABELS[rows]) for split, rows in SPLITS.items()}


# The default cut of one split.
BOTH = (IMAGES[..., None], LABELS)
CUT = {"train": slice(None, 24), "test": slice(24, None)}


def last(images):
    return np.moveaxis(images, 0, -1)


def svhn(tmp_path, labels, images=COLOURED, order=last, **options):
    """A folder in the layout of SVHN, `train_32x32.mat` and `test_32x32.mat`."""
    root = tmp_path / "svhn"
    root.mkdir(exist_ok=True)
    for split, rows in SPLITS.items():
        savemat(root / f"{split}_32x32.mat", {"X": order(images[rows]), "y": labels[rows, None]}, **options)
    return root


@pytest.mark.parametrize("compressed", [False, True])
def test_svhn_is_read_and_its_10_is_the_digit_0(tmp_path, compressed, caplog):
    caplog.set_level(logging.INFO, "beamline.source")
    tens = np.where(LABELS == 0, 10, LABELS).astype(np.uint8)
    planned = plan(svhn(tmp_path, tens, do_compression=compressed), tmp_path, classes=3)
    assert_same(planned, EXPECTED_COLOURED)
    assert planned.class_names == ("0", "1", "2")
    assert "svhn: the label 10 is the digit 0, as in SVHN" in caplog.text


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        # With the rows first, or with a 0 or an 11, the 10 is another class.
        (np.where(LABELS == 0, 10, LABELS), np.asarray),
        (np.where(LABELS == 2, 10, LABELS), last),
        (np.where(LABELS == 0, 11, np.where(LABELS == 1, 10, 1)), last),
        (LABELS + 1, last),
    ],
)
def test_other_labels_are_unchanged(tmp_path, labels, order):
    planned = plan(svhn(tmp_path, labels, order=order), tmp_path)
    for split, rows in SPLITS.items():
        np.testing.assert_array_equal(read_rows(planned, split)[1], labels[rows])
        np.testing.assert_array_equal(read_rows(planned, split)[0], COLOURED[rows])


@pytest.mark.parametrize("images", [IMAGES, COLOURED])
@pytest.mark.parametrize("order", [np.asarray, last])
@pytest.mark.parametrize("shape", [(-1, 1), (1, -1)])
def test_images_of_either_order_and_labels_of_either_direction_are_read(tmp_path, images, order, shape):
    arrays = {}
    for split, rows in SPLITS.items():
        # MATLAB's own numbers are doubles.
        arrays |= {f"{split}_images": order(images[rows]), f"{split}_labels": LABELS[rows].astype(float).reshape(shape)}
    savemat(tmp_path / "set.mat", arrays)
    planned = plan(tmp_path / "set.mat", tmp_path)
    assert_same(planned, EXPECTED if images is IMAGES else EXPECTED_COLOURED)
    assert planned.dataset == "arrays:set"
    assert planned.version == ArraySource(tmp_path / "set.mat").fingerprint()["content"][:12]


@pytest.mark.parametrize("form", [np.asarray, lambda names: names.astype(object)])
def test_text_labels_of_cells_and_of_padded_text_are_read(tmp_path, form):
    names = np.array(["ox", "cat", "tiger"])[LABELS]
    savemat(tmp_path / "set.mat", {"X": IMAGES, "y": form(names)})
    planned = plan(tmp_path / "set.mat", tmp_path)
    assert planned.class_names == ("cat", "ox", "tiger")
    np.testing.assert_array_equal(np.array(planned.class_names)[read_rows(planned, "test")[1]], names[24:])


def test_fractions_stay_floats(tmp_path):
    savemat(tmp_path / "set.mat", {"x": IMAGES / 255, "y": LABELS + 0.5})
    images, labels = read_rows(plan(tmp_path / "set.mat", tmp_path, classes=3), "train")
    np.testing.assert_array_equal(images, IMAGES[:24, ..., None] / 255, strict=True)
    np.testing.assert_array_equal(labels, LABELS[:24] + 0.5, strict=True)


def test_rows_that_may_be_first_or_last_are_found_by_the_channels_or_refused(tmp_path):
    square = np.arange(30 * 5 * 3 * 30).reshape(30, 5, 30, 3).astype(np.uint8)
    for images in (square, last(np.swapaxes(square, 1, 2))):
        savemat(tmp_path / "set.mat", {"x": images, "y": LABELS})
        expected = images if images is square else np.moveaxis(images, -1, 0)
        np.testing.assert_array_equal(read_rows(plan(tmp_path / "set.mat", tmp_path), "train")[0], expected[:24])
    savemat(tmp_path / "set.mat", {"x": np.zeros((30, 7, 30), np.uint8), "y": LABELS})
    message = refusal(tmp_path / "set.mat", tmp_path)
    assert "set.mat/x has shape (30, 7, 30) and 30 labels, so the first or the last index may count" in message


@pytest.mark.parametrize("value", [{"a": 1}, csr_array(np.eye(30)), np.array([{"a": 1}] * 30, object)])
def test_values_that_are_no_full_array_are_refused(tmp_path, value):
    savemat(tmp_path / "set.mat", {"x": IMAGES, "y": value})
    assert "set.mat/y is a struct, a sparse matrix or an array of cells: save a full" in refusal(
        tmp_path / "set.mat", tmp_path
    )


@pytest.mark.parametrize("block", [0, 512])
def test_files_of_version_7_3_are_refused_with_what_to_do(tmp_path, block):
    file = tmp_path / "set.mat"
    with h5py.File(file, "w", userblock_size=block) as target:
        target["X"] = IMAGES
    if block:
        with file.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    message = refusal(file, tmp_path)
    assert (
        "set.mat is a MATLAB file of version 7.3 (HDF5), versions 5 to 7.2 are read: save it in MATLAB with " in message
    )
    (tmp_path / "folder").mkdir()
    file.rename(tmp_path / "folder" / "set.mat")
    assert "version 7.3" in refusal(tmp_path / "folder", tmp_path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7), st.booleans())
def test_any_flipped_byte_or_short_file_is_refused_or_changes_nothing(tmp_path, place, bit, is_cut):
    file = tmp_path / "set.mat"
    savemat(file, {"x": IMAGES, "y": LABELS}, do_compression=True)
    content = bytearray(file.read_bytes())
    if is_cut:
        del content[int(place * len(content)) :]
    else:
        content[int(place * len(content))] ^= 1 << bit
    file.write_bytes(content)
    with suppress(InputError):
        assert_same(plan(file, tmp_path), {name: tuple(part[rows] for part in BOTH) for name, rows in CUT.items()})


def test_damaged_files_are_named(tmp_path):
    savemat(tmp_path / "set.mat", {"x": IMAGES, "y": LABELS}, do_compression=True)
    whole = (tmp_path / "set.mat").read_bytes()
    for content, message in (
        (whole[:200], "set.mat is a damaged .mat file (its last variable is incomplete)"),
        (whole[:-3], "set.mat is a damaged .mat file (its last variable is incomplete): write or copy it again"),
        (whole[:128], "holds no arrays: save images"),
    ):
        (tmp_path / "set.mat").write_bytes(content)
        assert message in refusal(tmp_path / "set.mat", tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "set.mat").write_bytes(b"text")
    assert "set.mat is not a .mat file of MATLAB 5 to 7.2, but starts with b'text'" in refusal(
        tmp_path / "folder", tmp_path
    )


def test_labels_of_another_file_are_counted_too(tmp_path):
    savemat(tmp_path / "images.mat", {"X": last(COLOURED)})
    np.save(tmp_path / "labels.npy", LABELS)
    assert_same(plan(tmp_path, tmp_path), {name: (COLOURED[rows], LABELS[rows]) for name, rows in CUT.items()})
    np.save(tmp_path / "labels.npy", np.int64(3))
    assert "labels.npy has shape (), labels are (n,)" in refusal(tmp_path, tmp_path)
