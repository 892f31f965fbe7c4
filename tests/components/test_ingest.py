"""ingest: the blocks hold what TensorFlow Datasets itself reads, cut anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import ingest
from components.artifacts.examples import Examples
from components.beam import BeamOptions
from components.ingest import decode_slice
from components.sources.records import Encoding, RecordSlice, Run, find_offsets
from components.sources.slicing import Part, cut
from components.sources.source import Wanted
from components.sources.tfds_set import TfdsSet
from serving.errors import InputError
from tests import tiny_set


def tfds_rows(data_dir, split):
    """Images and labels as TFDS's own reader gives them, file after file."""
    import tensorflow_datasets as tfds

    # By default TFDS takes 16 records of each file in turn, where there are several.
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
        return ingest.run(ingest.Params(dataset="tiny", data_dir=made.data_dir, **params), BeamOptions(), out)

    return ingested


@pytest.mark.parametrize("split", ["train", "test"])
def test_blocks_hold_what_tfds_reads_in_its_order(made, rows_of, split):
    images, labels = rows_of(made.examples, split)
    expected_images, expected_labels = tfds_rows(made.data_dir, split)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.array_equal(images, expected_images)
    assert np.array_equal(labels, expected_labels)


def test_examples_say_what_the_set_declares(made):
    examples = made.examples
    assert (examples.dataset, examples.version) == ("tiny", "1.0.0")
    assert examples.class_names == ("bar", "cross", "ring", "corner, left")
    assert examples.image_shape == (8, 8, 1)
    assert [block.rows for block in examples.blocks["train"]] == [250, 250, 100]
    assert examples.rows("test") == 200


def test_slice_of_a_split_and_blocks_across_files_hold_what_tfds_reads(made, run, rows_of):
    examples = run(train_split="train[:50%]", test_split="train[550:]+test", block_rows=70)
    for split, wanted in {"train": "train[:50%]", "test": "train[550:]+test"}.items():
        for got, expected in zip(rows_of(examples, split), tfds_rows(made.data_dir, wanted), strict=True):
            assert np.array_equal(got, expected)
    assert [block.rows for block in examples.blocks["train"]] == [70, 70, 70, 70, 20]


def test_other_block_size_gives_the_same_rows(made, run, rows_of):
    examples = run(block_rows=90)
    for split in ("train", "test"):
        for got, expected in zip(rows_of(examples, split), rows_of(made.examples, split), strict=True):
            assert np.array_equal(got, expected)


def test_two_runs_write_the_same_bytes(made, run, contents):
    again = run(block_rows=250)
    assert contents(again.path) == contents(made.examples.path)
    assert Examples.load(again.path) == again


@pytest.mark.parametrize("split", ["nope", "train[", "train[:nope]", "train[10:5]"])
def test_split_that_cannot_be_read_is_refused_by_its_option(run, split):
    with pytest.raises(InputError, match=r"--ingest\.train-split") as caught:
        run(train_split=split)
    assert split in str(caught.value)


def test_unknown_split_is_refused_with_the_splits_there_are(run):
    with pytest.raises(InputError, match=r"--ingest.test-split nope: tiny has the splits .*train"):
        run(test_split="nope")


def test_set_without_images_is_refused(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    dummy = tfds.testing.DummyDataset(data_dir=tmp_path / "data")
    monkeypatch.setattr(TfdsSet, "builder", lambda self: dummy)
    with pytest.raises(InputError, match="no set of images with one label each"):
        ingest.run(ingest.Params(dataset="dummy_dataset"), BeamOptions(), tmp_path)


def test_file_with_fewer_records_than_tfds_says_is_refused(made, tmp_path):
    shard = str(next(made.data_dir.glob("tiny/1.0.0/*train.tfrecord*")))
    with pytest.raises(InputError, match=r"\(600 records instead of 601\)"):
        find_offsets(shard, 601)
    last = find_offsets(shard, 600)[590:]
    piece = RecordSlice("train", 0, (Run(shard, int(last[0]), 20),), Encoding("image", "label", (8, 8, 1), None))
    with pytest.raises(InputError, match=r"\(10 records instead of 20\): delete the set's folder and prepare it again"):
        decode_slice(piece, tmp_path)


part_lists = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(1, 40)), max_size=6)


@given(part_lists, st.integers(1, 30))
def test_pieces_hold_the_same_rows_in_order_and_are_full_but_for_the_last(drawn, rows):
    def every_row(parts):
        return [(part.source, row) for part in parts for row in range(part.start, part.stop)]

    parts = [Part(source, start, start + size) for source, start, size in drawn]
    pieces = cut(parts, rows)
    assert [row for piece in pieces for row in every_row(piece)] == every_row(parts)
    sizes = [len(every_row(piece)) for piece in pieces]
    assert all(size == rows for size in sizes[:-1])
    assert all(0 < size <= rows for size in sizes[-1:])


@pytest.mark.parametrize(
    ("train", "test"), [("test", "test"), ("train", "train[90%:]"), ("train[:60%]", "train[50%:]")]
)
def test_gate_never_looks_at_rows_that_were_trained_on(run, train, test):
    with pytest.raises(InputError, match="share rows: give slices that do not overlap"):
        run(train_split=train, test_split=test)


@pytest.mark.parametrize(("image_shape", "rows"), [((28, 28, 1), 10_000), ((224, 224, 3), 445), ((9000, 9000, 3), 1)])
def test_blocks_of_large_images_have_fewer(image_shape, rows):
    assert Wanted(None, None, 10_000, None, None).rows_of_block(image_shape) == rows


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"resize": (0, 5)}, "--ingest.resize 0 5: give 1 or more"),
        ({"resize": (100_000, 5)}, "--ingest.resize 100000 5: give at most 4,096"),
        ({"classes": 10_001}, "--ingest.classes 10001: give at most 10,000"),
        ({"block_rows": 0}, "--ingest.block-rows 0: give 1 or more"),
    ],
)
def test_numbers_that_no_image_has_are_refused(params, words):
    with pytest.raises(InputError, match=words):
        ingest.Params(**params)


def test_slices_of_one_split_that_do_not_overlap_are_taken(run):
    examples = run(train_split="train[:50%]", test_split="train[50%:]")
    assert (examples.rows("train"), examples.rows("test")) == (300, 300)


def test_set_that_names_no_pair_is_read_where_it_leaves_no_choice(tmp_path):
    tiny_set.prepare(tmp_path / "tfds", train_rows=20, test_rows=8, supervised=False)
    (tmp_path / "out").mkdir()
    params = ingest.Params(dataset="tiny", data_dir=tmp_path / "tfds")
    examples = ingest.run(params, BeamOptions(), tmp_path / "out")
    images, _ = tiny_set.shapes(8, seed=2)
    assert sorted(map(bytes, examples.images(examples.blocks["test"][0]))) == sorted(map(bytes, images))
