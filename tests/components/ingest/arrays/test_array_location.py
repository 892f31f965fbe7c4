"""array_location: unpacking writes no more than a valid header claims."""

from __future__ import annotations

import numpy as np
import pytest

from components.ingest.arrays.array_location import NUMBERS, TEXT, ArrayLocation
from components.ingest.arrays.array_source import ArraySource
from components.ingest.read_options import ReadOptions
from serving.errors import InputError
from tests.components.ingest.arrays.array_files import (
    HALVES,
    IMAGES,
    LABELS,
    archive,
    npy,
    refusal,
    saved,
)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (30, 5, 400000000000)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-30, 5, 4)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (30, 5, 3)}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (30, 5, 4)}",
        "{'descr': '|u1'",
        "(" * 3000,
    ],
)
def test_invalid_headers_are_refused(tmp_path, header):
    file = archive(tmp_path, x=npy(IMAGES, header), y=npy(LABELS))
    assert "manual.npz/x " in refusal(file, tmp_path)


def test_no_more_is_unpacked_than_the_header_claims(tmp_path):
    content = archive(tmp_path, x=npy(IMAGES) + bytes(10**7), y=npy(LABELS))
    refusal(content, tmp_path)
    assert sum(file.stat().st_size for file in (tmp_path / "scratch").iterdir()) < 2000


def test_error_names_the_scratch_folder(tmp_path):
    file = saved(tmp_path, **HALVES)
    with pytest.raises(InputError, match=r"x_train cannot be unpacked to .*/gone: No such file"):
        ArraySource(file).plan(ReadOptions(), tmp_path / "gone")


@pytest.mark.parametrize("labels", [LABELS, np.eye(3)[LABELS], np.array(["a", "long name"])[LABELS % 2]])
def test_labels_are_read_in_small_pieces(tmp_path, labels, monkeypatch):
    monkeypatch.setattr("components.ingest.arrays.array_location.PIECE_BYTES", 100)
    np.save(tmp_path / "y.npy", labels)
    pieces = list(ArrayLocation(tmp_path / "y.npy").unpack(tmp_path, "labels").pieces(NUMBERS + TEXT))
    assert all(piece.nbytes <= 100 for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), labels, strict=True)
