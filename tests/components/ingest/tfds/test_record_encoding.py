"""record_encoding: how many images are decoded in one call."""

from __future__ import annotations

import pytest

from components.ingest.tfds.record_encoding import RecordEncoding


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((28, 28, 1), 256), ((224, 224, 3), 55), ((2000, 2000, 3), 1), ((5000, 5000, 3), 1), ((None, None, 3), 10)],
)
def test_fewer_large_images_are_decoded_in_one_call(shape, rows):
    assert RecordEncoding("image", "label", shape, (8, 8)).rows_per_call == rows
