"""job: the size of blocks, on which --resume relies."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batch.job import MAX_BLOCK_BYTES, MAX_BLOCK_ROWS, BatchJob


def block_rows(rows, image_shape, batch_size, named=False):
    scorer = SimpleNamespace(
        batch_size=batch_size, bundle=SimpleNamespace(manifest=SimpleNamespace(image_shape=image_shape))
    )
    return BatchJob(SimpleNamespace(rows=rows, named=named), scorer, None, None, None, False).block_rows


@pytest.mark.parametrize(
    ("rows", "image_shape", "batch_size", "expected"),
    [
        (0, (28, 28, 1), 256, 2560),
        (10_000, (28, 28, 1), 256, 2560),
        (100_000, (28, 28, 1), 256, 6400),
        (5_000_000, (28, 28, 1), 256, 10_496),
        (5_000_000, (8, 8, 1), 256, 16_384),
        (5_000_000, (224, 224, 3), 6, 54),
        (10, (4000, 3000, 3), 1, 1),
        (10, (28, 28, 1), 60_000, 60_000),
    ],
)
def test_block_size_depends_on_the_number_and_size_of_images(rows, image_shape, batch_size, expected):
    assert block_rows(rows, image_shape, batch_size) == expected


@pytest.mark.parametrize(
    ("rows", "image_shape", "batch_size", "expected"),
    [
        (10, (28, 28, 1), 256, 256),
        (4000, (28, 28, 1), 256, 256),
        (4000, (128, 128, 3), 21, 63),
        (1_000_000, (28, 28, 1), 256, 10_496),
        (1_000_000, (128, 128, 3), 21, 168),
    ],
)
def test_blocks_of_pictures_are_smaller(rows, image_shape, batch_size, expected):
    assert block_rows(rows, image_shape, batch_size, named=True) == expected


@given(st.integers(0, 10**9), st.integers(1, 10**7), st.integers(1, 1 << 16), st.booleans())
def test_blocks_are_whole_batches_and_bounded(rows, image_bytes, batch_size, named):
    found = block_rows(rows, (1, image_bytes, 1), batch_size, named)
    assert found % batch_size == 0
    assert found >= batch_size
    assert found == batch_size or (found <= MAX_BLOCK_ROWS and found * image_bytes <= MAX_BLOCK_BYTES)
