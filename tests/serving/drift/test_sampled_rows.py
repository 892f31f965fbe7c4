"""sampled_rows: 128 rows of a block, and fewer of many blocks."""

from __future__ import annotations

import numpy as np
import pytest

from serving.drift.drift import sampled_rows


@pytest.mark.parametrize(
    ("rows", "blocks", "expected"),
    [(5, 1, 5), (900, 1, 128), (900, 16, 128), (900, 64, 32), (50, 64, 32), (9, 9999, 1)],
)
def test_all_blocks_together_have_about_2048_rows(rows, blocks, expected):
    sample = sampled_rows(rows, blocks)
    assert len(sample) == len(np.unique(sample)) == expected
    assert 0 <= sample.min() <= sample.max() < rows
