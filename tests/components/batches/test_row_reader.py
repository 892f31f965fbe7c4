"""row_reader: the rows of pieces in any order, against numpy's concatenation."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.batches.row_reader import find_pieces, read_rows
from serving.errors import BeamlineError

ROWS = 53


@pytest.fixture(scope="module")
def numbered(write_examples, tmp_path_factory):
    """53 images in blocks of 20; a row's index is its label and its first pixel."""
    labels = np.arange(ROWS)
    images = (labels[:, None, None, None] + np.array([0, 100]).reshape(2, 1, 1)).astype(np.uint8)
    rows = {"train": (images, labels), "test": (images[:5], labels[:5])}
    return write_examples(tmp_path_factory.mktemp("numbered"), rows, ("a",), block_rows=20)


@pytest.mark.parametrize("span_bytes", [1, 12, 1 << 20])
@given(data=st.data())
def test_rows_are_those_of_the_concatenated_pieces(numbered, span_bytes, data):
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, ROWS - 1), min_size=1))))
    if data.draw(st.booleans()):
        rows = np.arange(rows[0], rows[-1] + 1)
    pieces = find_pieces(numbered, "train", rows)
    order = np.array(data.draw(st.permutations(range(len(pieces)))), np.int32)
    first = data.draw(st.integers(0, len(rows)))
    end = data.draw(st.integers(first, len(rows)))
    blocks = np.split(np.arange(ROWS), [20, 40])
    parts = [part for block in blocks if len(part := rows[np.isin(rows, block)])]
    expected = np.concatenate([parts[index] for index in order])[first:end]

    with patch("components.batches.row_reader.SPAN_BYTES", span_bytes):
        images, labels = read_rows(pieces, order, first, end)

    assert labels.tolist() == expected.tolist()
    assert images[:, :, 0, 0].tolist() == [[row, row + 100] for row in expected.tolist()]
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)


def test_all_rows_are_read_without_a_choice(numbered):
    pieces = find_pieces(numbered, "train")
    _, labels = read_rows(pieces, np.arange(len(pieces), dtype=np.int32), 0, ROWS)
    assert labels.tolist() == list(range(ROWS))


def test_a_file_that_became_shorter_is_an_error(write_examples, tmp_path):
    images, labels = np.zeros((40, 2, 2, 1), np.uint8), np.zeros(40, np.int64)
    examples = write_examples(tmp_path, {"train": (images, labels), "test": (images, labels)}, ("a",), block_rows=20)
    pieces = find_pieces(examples, "train")
    file = tmp_path / examples.blocks["train"][1].images_file
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(
        BeamlineError, match=f"^{file} is shorter than when it was written: delete its folder and run again$"
    ):
        read_rows(pieces, np.array([0, 1], np.int32), 0, 40)
