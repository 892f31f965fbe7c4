"""batch_score: wrong usage and bad input have an exit code and one sentence, and write no files."""

from __future__ import annotations

import numpy as np
import pytest

from serving.batch_score import main
from tests.serving.score_command import assert_refused, names
from tests.serving.tiny_bundle import LEFT_OUT, npy, random_images


@pytest.mark.parametrize("name", ["model.onnx", "saved_model.pb", "manifest.json"])
def test_tampered_bundle_exits_with_4_and_writes_no_files(score, folder, promoted, name):
    content = (promoted.path / name).read_bytes()
    (promoted.path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert_refused(score(), 4, name)
    assert names(folder) == ["images.npy"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "numpy.save"),
        (b"PK\x03\x04 zip", "is a damaged .npz file"),
        (npy(random_images(3) / 255), "float64"),
        (npy(random_images(3).astype(np.int64)), "int64"),
        (npy(random_images(3))[:-5], "write it again"),
        (npy(random_images(3)) + b"more", "write it again"),
        (npy(np.zeros(5, np.uint8)), "reshape it"),
        (npy(random_images(3, (4, 4, 1))), "resize them to fit"),
    ],
    ids=["empty", "zip", "float", "integer", "cut", "longer", "flat", "shape"],
)  # fmt: skip
def test_bad_images_exit_with_2_and_write_no_files(score, folder, content, message):
    (folder / "images.npy").write_bytes(content)
    assert_refused(score(), 2, message)
    assert names(folder) == ["images.npy"]


def test_missing_images_exit_with_2(score, folder):
    assert_refused(score(images=folder / "nowhere.npy"), 2, "No such file")
    assert names(folder) == ["images.npy"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--colour"], "--colour"),
        (["--prob"], "--prob"),
        (["--threads", "0"], "'0': give a whole number, 1 to 1,024"),
        (["--threads", "999999999999"], "give a whole number, 1 to 1,024"),
        (["--batch-size", "many"], "'many': give a whole number, 1 to"),
        (["--precision", "int16"], "choose from 'float32', 'int8'"),
        (["--precision", "int8"], LEFT_OUT),
        (["--out", "out.txt"], "give a name that ends in .csv, .npy, .jsonl or .parquet"),
        (["--top", "5"], "--top 5: the model has 4 classes"),
        (["--top", "2", "--probabilities", "--out", "out.npy"], ".npy holds one array"),
        (["--labels", "nowhere.npy"], "nowhere.npy"),
        (["--model", "unknown"], "unknown"),
    ],
)
def test_wrong_usage_exits_with_2_and_writes_no_files(score, folder, flags, message):
    assert_refused(score(*flags), 2, message)
    assert names(folder) == ["images.npy"]


@pytest.mark.usefixtures("score")
def test_command_without_images_exits_with_2(capsys):
    assert main([]) == 2
    assert "images" in capsys.readouterr().err


def test_unwritable_folder_exits_with_2(score, folder):
    assert_refused(score("--out", folder / "images.npy" / "out.csv"), 2, "images.npy is not a folder: create it first")
    assert_refused(score("--out", folder / "nowhere" / "out.csv"), 2, "nowhere is not a folder: create it first")
    assert names(folder) == ["images.npy"]


def test_images_are_never_replaced(score, folder):
    assert_refused(score("--out", folder / "images.npy", "--overwrite"), 2, "is an input: give another name")
    np.testing.assert_array_equal(np.load(folder / "images.npy"), random_images(50))


def test_labels_of_other_images_are_refused(score, folder):
    np.save(folder / "labels.npy", np.zeros(49, int))
    assert_refused(score("--labels", folder / "labels.npy"), 2, "holds 49 labels for 50 images")
    np.save(folder / "labels.npy", np.array([0] * 30 + [4] + [0] * 19))
    assert_refused(score("--labels", folder / "labels.npy"), 2, "row 30 is 4, the model has the labels 0 to 3")
    np.save(folder / "labels.npy", np.array([0] * 30 + [-1] + [0] * 19))
    assert_refused(score("--labels", folder / "labels.npy"), 2, "row 30 is -1")
    assert names(folder) == ["images.npy", "labels.npy"]


def test_labels_are_never_replaced(score, folder):
    np.save(folder / "labels.npy", np.zeros(50, int))
    refused = score("--labels", folder / "labels.npy", "--out", folder / "labels.npy", "--overwrite")
    assert_refused(refused, 2, "is an input: give another name")


def test_too_little_memory_is_reported(score, monkeypatch):
    def allocate(*given):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr("serving.scoring.network.Network.probabilities", allocate)
    message = "there is not enough memory (Cannot allocate memory): end other programs, or ask for less"
    assert_refused(score(), 1, message)
