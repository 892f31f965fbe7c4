"""ingest: the blocks hold the rows that TensorFlow Datasets reads, for any slices and block sizes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from components.artifacts.examples import Examples
from components.beam import BeamOptions
from components.ingest import ingest
from components.ingest.tfds.tfds_source import TfdsSource
from components.run_context import RunContext
from serving.errors import InputError
from serving.resize import METHOD
from tests import tiny_set


def tfds_rows(data_dir, split):
    """Images and labels as TFDS reads them, file after file."""
    import tensorflow_datasets as tfds

    # By default TFDS reads 16 records of each file in turn.
    config = tfds.ReadConfig(interleave_cycle_length=1)
    read = tfds.builder("tiny", data_dir=data_dir).as_dataset(split=split, shuffle_files=False, read_config=config)
    rows = list(tfds.as_numpy(read))
    return np.stack([row["image"] for row in rows]), np.array([row["label"] for row in rows])


@pytest.fixture
def run(made, tmp_path):
    """Ingests the small set with other parameters."""

    def ingested(folder="out", **params):
        out = tmp_path / folder
        out.mkdir()
        return ingest.run(
            ingest.Params(dataset="tiny", **params), RunContext(data_dir=made.data_dir), BeamOptions(), out
        )

    return ingested


@pytest.mark.parametrize("split", ["train", "test"])
def test_blocks_hold_the_rows_of_tfds_in_its_order(made, rows_of, split):
    images, labels = rows_of(made.examples, split)
    expected_images, expected_labels = tfds_rows(made.data_dir, split)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.array_equal(images, expected_images)
    assert np.array_equal(labels, expected_labels)


def test_examples_hold_the_metadata_of_the_set(made):
    examples = made.examples
    assert (examples.dataset, examples.version) == ("tiny", "1.0.0")
    assert examples.class_names == ("bar", "cross", "ring", "corner, left")
    assert examples.image_shape == (8, 8, 1)
    assert [block.rows for block in examples.blocks["train"]] == [250, 250, 100]
    assert examples.rows("test") == 200


def test_slices_and_blocks_across_files_hold_the_rows_of_tfds(made, run, rows_of):
    examples = run(train_split="train[:50%]", test_split="train[550:]+test", block_rows=70)
    for split, wanted in {"train": "train[:50%]", "test": "train[550:]+test"}.items():
        for got, expected in zip(rows_of(examples, split), tfds_rows(made.data_dir, wanted), strict=True):
            assert np.array_equal(got, expected)
    assert [block.rows for block in examples.blocks["train"]] == [70, 70, 70, 70, 20]


def test_another_block_size_gives_the_same_rows(made, run, rows_of):
    examples = run(block_rows=90)
    for split in ("train", "test"):
        for got, expected in zip(rows_of(examples, split), rows_of(made.examples, split), strict=True):
            assert np.array_equal(got, expected)


def test_examples_record_whether_images_were_resized(made, run):
    resized = run(resize=(6, 5))
    assert (resized.image_shape, resized.resize) == ((6, 5, 1), METHOD)
    assert resized.summary().endswith(f" images 6×5×1, resized ({METHOD})")
    assert Examples.load(resized.path) == resized
    assert made.examples.resize is None
    assert made.examples.summary().endswith(" images 8×8×1")


def test_examples_of_an_earlier_release_record_no_method(made, tmp_path):
    saved = json.loads((made.examples.path / "examples.json").read_text())
    assert saved.pop("resize") is None
    (tmp_path / "examples.json").write_text(json.dumps(saved))
    assert Examples.load(tmp_path).resize is None


def test_two_runs_write_the_same_bytes(made, run, contents):
    again = run(block_rows=250)
    assert contents(again.path) == contents(made.examples.path)
    assert Examples.load(again.path) == again


@pytest.mark.parametrize("split", ["nope", "train[", "train[:nope]", "train[10:5]"])
def test_invalid_split_is_refused_with_its_option(run, split):
    with pytest.raises(InputError, match=r"--ingest\.train-split") as caught:
        run(train_split=split)
    assert split in str(caught.value)


def test_unknown_split_is_refused_with_the_names_of_all_splits(run):
    with pytest.raises(InputError, match=r"--ingest.test-split nope: tiny has the splits .*train"):
        run(test_split="nope")


def test_set_without_images_is_refused(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    dummy = tfds.testing.DummyDataset(data_dir=tmp_path / "data")
    monkeypatch.setattr(TfdsSource, "builder", lambda self: dummy)
    with pytest.raises(InputError, match="not a set of images with one label each"):
        ingest.run(ingest.Params(dataset="dummy_dataset"), RunContext(), BeamOptions(), tmp_path)


@pytest.mark.parametrize(
    ("train", "test"), [("test", "test"), ("train", "train[90%:]"), ("train[:60%]", "train[50%:]")]
)
def test_training_and_test_rows_must_not_overlap(run, train, test):
    with pytest.raises(InputError, match="share rows: give slices that do not overlap"):
        run(train_split=train, test_split=test)


def test_slices_of_one_split_without_overlap_are_accepted(run):
    examples = run(train_split="train[:50%]", test_split="train[50%:]")
    assert (examples.rows("train"), examples.rows("test")) == (300, 300)


def test_set_without_supervised_keys_is_read_if_it_has_one_image_and_one_label(tmp_path):
    tiny_set.prepare(tmp_path / "tfds", train_rows=20, test_rows=8, supervised=False)
    (tmp_path / "out").mkdir()
    params, context = ingest.Params(dataset="tiny"), RunContext(data_dir=tmp_path / "tfds")
    examples = ingest.run(params, context, BeamOptions(), tmp_path / "out")
    images, _ = tiny_set.shapes(8, seed=2)
    assert sorted(map(bytes, examples.images(examples.blocks["test"][0]))) == sorted(map(bytes, images))
