"""read_options: numbers out of range are refused."""

from __future__ import annotations

import pytest

from components.ingest.read_options import ReadOptions
from serving.errors import InputError


@pytest.mark.parametrize(("image_shape", "rows"), [((28, 28, 1), 10_000), ((224, 224, 3), 445), ((9000, 9000, 3), 1)])
def test_blocks_of_large_images_have_fewer(image_shape, rows):
    assert ReadOptions().rows_per_block(image_shape) == rows


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"resize": (0, 5)}, "--ingest.resize 0: give 1 to 4,096"),
        ({"resize": (100_000, 5)}, "--ingest.resize 100000: give 1 to 4,096"),
        ({"classes": 10_001}, "--ingest.classes 10001: give 1 to 10,000"),
        ({"block_rows": 0}, "--ingest.block-rows 0: give 1 to 1,000,000,000"),
        ({"skip_bad": -1}, "--ingest.skip-bad -1: give 0 to 1,000,000,000"),
        ({"background": "pink"}, "--ingest.background: 'pink' is not a colour: give white, black, or '#rrggbb'"),
    ],
)
def test_numbers_out_of_range_are_refused(params, message):
    with pytest.raises(InputError, match=message):
        ReadOptions(**params)
