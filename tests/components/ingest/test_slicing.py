"""slicing: blocks hold the rows of the ranges, in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.read_options import ReadOptions
from components.ingest.slicing import RowRange, cut_blocks, select_rows
from serving.errors import InputError

range_lists = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(1, 40)), max_size=6)


@given(range_lists, st.integers(1, 30))
def test_blocks_hold_all_rows_in_order_and_are_full_except_the_last(drawn, block_rows):
    def every_row(ranges):
        return [(selected.source_split, row) for selected in ranges for row in range(selected.start, selected.stop)]

    ranges = [RowRange(source_split, start, start + size) for source_split, start, size in drawn]
    blocks = cut_blocks(ranges, block_rows)
    assert [row for block in blocks for row in every_row(block)] == every_row(ranges)
    sizes = [len(every_row(block)) for block in blocks]
    assert all(size == block_rows for size in sizes[:-1])
    assert all(0 < size <= block_rows for size in sizes[-1:])


@given(st.integers(3, 100_000))
def test_default_cut_has_the_rows_that_tfds_selects(count):
    default = select_rows(ReadOptions(), {"train": count}, "set")
    given_slices = ReadOptions(train_split="train[:80%]", test_split="train[80%:100%]")
    assert default == select_rows(given_slices, {"train": count}, "set")


ROWS = {"train": 60, "val": 20, "test": 10}


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Dev"])
def test_own_validation_split_is_used_for_validation_alone(name):
    selected = select_rows(ReadOptions(), {"train": 60, name: 20, "test": 10}, "set")
    assert selected.validation == (RowRange(name, 0, 20),)
    assert (selected.train, selected.test) == ((RowRange("train", 0, 60),), (RowRange("test", 0, 10),))


@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(validation_split="none"),
        ReadOptions(test_split="val"),
        ReadOptions(train_split="train+val[:1]"),
    ],
)
def test_own_validation_split_is_left_alone_if_it_is_named_otherwise(options):
    assert select_rows(options, ROWS, "set").validation == ()


def test_given_validation_rows_are_taken():
    options = ReadOptions(train_split="train[:50]", validation_split="train[50:]")
    assert select_rows(options, ROWS, "set").validation == (RowRange("train", 50, 60),)


@pytest.mark.parametrize("split", ["train[50:]", "test"])
def test_validation_rows_that_are_used_elsewhere_are_refused(split):
    with pytest.raises(InputError, match=r"--ingest.validation-split .* share rows"):
        select_rows(ReadOptions(validation_split=split), ROWS, "set")


@given(st.integers(1, 70), st.integers(0, 30), st.integers(1, 20))
def test_last_blocks_of_the_training_split_hold_the_validation_rows(train, validation, block_rows):
    rows = {"train": train, "validation": validation, "test": 5}
    selected = select_rows(ReadOptions(), rows, "set")
    learning = [block for split, _, block in selected.blocks(block_rows) if split == "train"]
    count = selected.validation_blocks(block_rows)
    sources = [{part.source_split for part in block} for block in learning]
    assert sources == [{"train"}] * (len(learning) - count) + [{"validation"}] * count
    assert sum(part.stop - part.start for block in learning[len(learning) - count :] for part in block) == validation
