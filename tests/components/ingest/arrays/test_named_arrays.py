"""array_set, array_folder: the names that people give to arrays and files; the rest is left out, or refused by name."""

from __future__ import annotations

import gzip
import logging

import numpy as np
import pytest

from components.ingest.arrays.array_folder import find_arrays
from components.ingest.arrays.array_source import ArraySource
from components.ingest.read_options import ReadOptions
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
from tests.serving.batch.inputs.encoded_files import idx

ARRAYS = tuple(HALVES.values())


def folder(tmp_path, save, names, arrays=ARRAYS):
    root = tmp_path / "arrays"
    root.mkdir(exist_ok=True)
    for name, array in zip(names, arrays, strict=True):
        save(root / name, array)
    return root


def save_idx(file, array):
    content = idx(array.astype(np.uint8))
    file.write_bytes(gzip.compress(content) if file.name.endswith(".gz") else content)


@pytest.mark.parametrize(
    "names",
    [
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_X", "train_Y", "test_X", "test_Y"),
        ("trainX", "trainY", "testX", "testY"),
        ("Xtr", "Ytr", "Xte", "Yte"),
        ("images", "labels", "images_test", "labels_test"),
        ("train_data", "train_targets", "test_data", "test_targets"),
        ("image", "label", "test_image", "test_label"),
        ("features_training", "target_training", "features_testing", "target_testing"),
        ("digits_x_train", "digits_y_train", "digits_x_test", "digits_y_test"),
    ],
)
def test_usual_names_are_read(tmp_path, names):
    planned = plan(saved(tmp_path, **dict(zip(names, ARRAYS, strict=True))), tmp_path)
    assert_same(planned, EXPECTED)
    assert not planned.left_out
    assert_same(plan(folder(tmp_path, np.save, names), tmp_path), EXPECTED)


def test_validation_rows_of_medmnist_are_a_split(tmp_path):
    keys = [f"{split}_{content}" for split in ("train", "val", "test") for content in ("images", "labels")]
    arrays = [IMAGES[:15], LABELS[:15, None], IMAGES[15:20], LABELS[15:20, None], IMAGES[20:], LABELS[20:, None]]
    file = saved(tmp_path, np.savez_compressed, **dict(zip(keys, arrays, strict=True)))
    assert list(find_arrays(file).splits) == ["train", "validation", "test"]
    assert_same(plan(file, tmp_path, train_split="train+validation"), EXPECTED)


def test_files_of_one_unnamed_array_are_read(tmp_path):
    names = [f"kmnist-{split}-{content}.npz" for split in ("train", "test") for content in ("imgs", "labels")]
    planned = plan(folder(tmp_path, np.savez_compressed, names), tmp_path)
    assert_same(planned, EXPECTED)
    assert not planned.left_out


def test_archives_of_splits_in_a_folder_are_read(tmp_path):
    root = tmp_path / "arrays"
    root.mkdir()
    for split in ("train", "test"):
        np.savez(root / f"flowers-{split}.npz", x=HALVES[f"x_{split}"], y=HALVES[f"y_{split}"])
    (root / "notes.txt").write_text("text")
    planned = plan(root, tmp_path)
    assert_same(planned, EXPECTED)


@pytest.mark.parametrize(
    "names",
    [
        ("X_shapes-idx3-ubyte.gz", "y_shapes-idx1-ubyte.gz"),
        ("images.idx", "labels.idx"),
        ("pictures.bin", "classes.bin.gz"),
    ],
)
def test_a_pair_of_idx_files_of_any_name_is_one_split(tmp_path, names):
    planned = plan(folder(tmp_path, save_idx, names, (IMAGES, LABELS)), tmp_path)
    assert_same(
        planned, {"train": (IMAGES[:24, ..., None], LABELS[:24]), "test": (IMAGES[24:, ..., None], LABELS[24:])}
    )


def test_idx_files_of_colour_images_and_splits_are_read(tmp_path):
    coloured = np.stack([IMAGES, IMAGES + 1, IMAGES + 2], axis=-1)
    names = ("train.idx4", "train.idx1", "test.idx4", "test.idx1")
    arrays = (coloured[:20], LABELS[:20], coloured[20:], LABELS[20:])
    planned = plan(folder(tmp_path, save_idx, names, arrays), tmp_path)
    assert_same(planned, {"train": (coloured[:20], LABELS[:20]), "test": (coloured[20:], LABELS[20:])})


def test_a_pair_without_names_is_read_by_its_shapes(tmp_path, caplog):
    caplog.set_level(logging.INFO, "beamline.source")
    file = tmp_path / "positional.npz"
    np.savez(file, IMAGES, LABELS)
    np.testing.assert_array_equal(read_rows(plan(file, tmp_path), "train")[0], IMAGES[:24, ..., None])
    assert "arr_0 are the images and arr_1 the labels, by their shapes" in caplog.text
    np.savez(file, IMAGES, LABELS, LABELS)
    assert "holds arr_0, arr_1, arr_2: save images and labels" in refusal(file, tmp_path)


def test_other_arrays_are_left_out_by_name_and_change_nothing(tmp_path):
    planned = plan(saved(tmp_path, **HALVES, image_ids=LABELS, train_features_mean=LABELS, meta=LABELS), tmp_path)
    assert_same(planned, EXPECTED)
    assert planned.left_out == {"array image_ids": 1, "array train_features_mean": 1, "array meta": 1}


def test_a_left_out_file_is_not_in_the_fingerprint(tmp_path):
    root = folder(tmp_path, np.save, [f"{name}.npy" for name in HALVES])
    before = ArraySource(root).fingerprint()
    np.save(root / "image_ids.npy", LABELS)
    assert ArraySource(root).fingerprint() == before
    assert plan(root, tmp_path).left_out == {"array image_ids.npy": 1}
    np.save(root / "y_test.npy", LABELS[20:][::-1])
    assert ArraySource(root).fingerprint() != before


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images_labels": IMAGES}, "holds images_labels, a name for images and labels: rename it, e.g. to x_train"),
        ({"train_test_x": IMAGES}, "holds train_test_x, a name for test and train: rename it"),
        ({**HALVES, "images": IMAGES, "labels": LABELS}, "holds both x_train and images as the images of train"),
        (
            {"images": IMAGES, "fine_labels": LABELS, "coarse_labels": LABELS},
            "of train, without labels, but fine_labels",
        ),
        ({**HALVES, "class_names": ["a"], "label_names": ["a"]}, "class_names and label_names as the class names"),
        ({"meta": LABELS}, "holds meta: save images and labels with numpy.savez as x and y"),
        ({}, "holds no arrays: save images and labels"),
    ],
)
def test_names_that_do_not_tell_are_refused_with_those_found(tmp_path, arrays, message):
    assert message in refusal(saved(tmp_path, **arrays), tmp_path)


def test_pointers_and_damaged_files_in_a_folder_are_refused(tmp_path):
    root = folder(tmp_path, np.save, [f"{name}.npy" for name in HALVES])
    (root / "x_train.npy").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "x_train.npy is a Git LFS pointer without the content: run `git lfs pull`" in refusal(root, tmp_path)
    for name in ("more.npz", "more.mat"):
        (root / "x_train.npy").rename(root / name)
        message = f"{name} is a Git LFS pointer without the content: run `git lfs pull` in its repository"
        assert refusal(root, tmp_path).endswith(message)
        (root / name).rename(root / "x_train.npy")
    (root / "x_train.npy").write_bytes(b"text")
    assert "x_train.npy is not a .npy or IDX file, but starts with b'text'" in refusal(root, tmp_path)
    (tmp_path / "set.npz").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "set.npz is a Git LFS pointer" in refusal(tmp_path / "set.npz", tmp_path)


def test_splits_of_their_own_names_are_kept(tmp_path):
    file = saved(tmp_path, **HALVES, x_train_2=IMAGES, y_train_2=LABELS, x_More=IMAGES, y_More=LABELS)
    assert list(find_arrays(file).splits) == ["train", "test", "train_2", "More"]
    scratch = tmp_path / "work"
    scratch.mkdir()
    planned = ArraySource(file).plan(ReadOptions(train_split="train_2[:3]", test_split="More[5:]"), scratch)
    assert_same(planned, {"train": (IMAGES[:3, ..., None], LABELS[:3]), "test": (IMAGES[5:, ..., None], LABELS[5:])})
