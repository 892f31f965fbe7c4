"""npz_archive: damaged files, and other files, are refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.ingest.arrays.array_source import ArraySource
from serving.errors import InputError
from tests.components.ingest.arrays.array_files import (
    EXPECTED,
    HALVES,
    IMAGES,
    LABELS,
    archive,
    assert_same,
    npy,
    plan,
    refusal,
    saved,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a .npz or .mat file, but empty: save images and labels with numpy.savez"),
        (b"\x93NUMPY\x01\x00", "holds one array: give the folder of the files with the images and with the labels"),
        (pickle.dumps({"x": 1}), "is not a .npz or .mat file, but a pickle: save"),
        (b"PK\x03\x04 and no more", "is a damaged .npz file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "set.npz").write_bytes(content)
    assert message in refusal(tmp_path / "set.npz", tmp_path)
    with pytest.raises(InputError):
        ArraySource(tmp_path / "set.npz").fingerprint()


def test_damaged_archives_are_refused_in_one_sentence(tmp_path):
    for member in (npy(IMAGES)[:-7], npy(IMAGES) + b"more"):
        message = refusal(archive(tmp_path, x=member, y=npy(LABELS)), tmp_path)
        assert "bytes of values, its header says 600 for shape (30, 5, 4)" in message
    content = bytearray(saved(tmp_path, np.savez, **HALVES).read_bytes())
    content[content.index(IMAGES[3].tobytes())] ^= 1
    (tmp_path / "flipped.npz").write_bytes(content)
    assert "flipped.npz/x_train is damaged (Bad CRC-32" in refusal(tmp_path / "flipped.npz", tmp_path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_byte_is_refused_or_changes_nothing(tmp_path, data):
    save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
    content = bytearray(saved(tmp_path, save, **HALVES, class_names=["a", "b", "c"]).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "changed.npz").write_bytes(content)
    try:
        planned = plan(tmp_path / "changed.npz", tmp_path)
        assert planned.class_names == ("a", "b", "c")
        assert_same(planned, EXPECTED)
    except InputError:
        pass
