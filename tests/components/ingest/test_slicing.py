"""slicing: blocks hold the rows of the ranges, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.ingest.read_options import ReadOptions
from components.ingest.slicing import RowRange, cut_blocks, select_rows

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
