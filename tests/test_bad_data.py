"""Bad data: each kind stops the run before training, the message names rows or classes, nothing is promoted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.__main__ import main
from tests.own_sets import patterns, write_pictures


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arrays(place, **changed):
    """The file `set.npz`: 400 training and 100 test images of four classes, with some arrays changed."""
    train, test = patterns(400, 4, (8, 8), 1, seed=1), patterns(100, 4, (8, 8), 1, seed=2)
    whole = {"x_train": train[0], "y_train": train[1], "x_test": test[0], "y_test": test[1]}
    np.savez(
        place / "set.npz", **{name: changed.get(name, lambda array: array)(array) for name, array in whole.items()}
    )
    return "arrays:set.npz"


def stopped(capfd, place, exit_code, parts, dataset, *flags):
    assert main(["run", "--dataset", dataset, "--evaluate.min-accuracy", "0.5", *flags]) == exit_code
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err
    # The last paragraph of the output: one sentence, or a list.
    ends = ("refused at validate after", "failed at ingest after", "run: ")
    end = "\n".join((printed.out + printed.err).rsplit("\n\n", 1)[-1].splitlines())
    assert end.startswith(ends), printed.out + printed.err
    for part in parts:
        assert part in end
    assert not list(place.glob("models/*"))
    for record in place.glob("runs/history/*.json"):
        outcomes = {step["name"]: step["outcome"] for step in json.loads(record.read_text())["steps"]}
        assert outcomes["train"] in ("refused", "skipped")


def put(rows, value):
    def change(array):
        array = array.copy()
        array[rows] = value
        return array

    return change


def test_class_without_training_rows(place, capfd):
    keep = arrays(place, y_train=lambda labels: np.where(labels == 2, 1, labels))
    stopped(capfd, place, 3, ["class 2", "(class-untrained)"], keep)


@pytest.mark.parametrize("label", [-1, 7])
def test_label_out_of_range(place, capfd, label):
    bad = arrays(place, y_train=put([17, 40], label))
    stopped(capfd, place, 3, ["row 17", "row 40", str(label), "(label-range)"], bad, "--ingest.classes", "4")


def test_fractional_label(place, capfd):
    bad = arrays(place, y_test=lambda labels: np.where(np.arange(100) == 9, 1.5, labels))
    stopped(capfd, place, 3, ["row 9", "1.5", "(label-fraction)"], bad)


def test_pixels_that_are_nan(place, capfd):
    bad = arrays(place, x_train=lambda images: put((33, 1, 1, 0), np.nan)(images.astype(np.float32)))
    stopped(capfd, place, 3, ["row 33", "(nan)", "float32", "(type)"], bad)


def test_sample_refuses_other_types(place, capfd):
    bad = arrays(place, x_test=lambda images: images.astype(np.float32))
    assert main(["sample", "--dataset", bad]) == 2
    assert (
        "the test split of arrays:set holds float32, samples are uint8 images and int64 labels"
        in capfd.readouterr().err
    )
    assert not list(place.glob("images*"))


def test_test_images_that_are_training_images(place, capfd):
    train, _ = patterns(400, 4, (8, 8), 1, seed=1)
    bad = arrays(place, x_test=put([3, 60], train[[5, 6]]))
    stopped(capfd, place, 3, ["row 3", "row 60", "row 5", "row 6", "(leaks)"], bad)


@pytest.mark.parametrize("split", ["train", "test"])
def test_split_of_one_class(place, capfd, split):
    bad = arrays(place, **{f"y_{split}": lambda labels: np.full_like(labels, 3)})
    stopped(capfd, place, 3, ["class 3", "(class-dominant)"], bad)


def test_damaged_png(place, capfd):
    write_pictures(place / "set", *patterns(200, 4, (8, 8), 1, seed=1))
    file = sorted((place / "set" / "class 01").iterdir())[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    stopped(capfd, place, 2, [f"class 01/{file.name} is a damaged PNG picture", "0001-refused.csv lists"], "folder:set")
    lines = (place / "runs" / "logs" / "0001-refused.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["file", f"class 01/{file.name}"]


def test_fewer_labels_than_images(place, capfd):
    bad = arrays(place, y_train=lambda labels: labels[:-1])
    stopped(capfd, place, 2, ["400", "399"], bad)


def test_split_without_rows(place, capfd):
    stopped(capfd, place, 2, ["test[:0]", "has no rows"], arrays(place), "--ingest.test-split", "test[:0]")


def test_split_folder_without_pictures(place, capfd):
    write_pictures(place / "set" / "train", *patterns(200, 4, (8, 8), 1, seed=1))
    (place / "set" / "test" / "class 01").mkdir(parents=True)
    stopped(capfd, place, 2, ["test"], "folder:set")
