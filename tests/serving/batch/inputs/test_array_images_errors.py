"""array_images: files without uint8 images are refused with advice."""

from __future__ import annotations

import gzip
import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.serving.batch.inputs.array_files import IMAGES, header, refusal
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import npy, npy_with_header

HUGE = 10**12


def zipped(*arrays):
    file = io.BytesIO()
    np.savez(file, *arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "is not a .npy or IDX file, but empty: save the images with numpy.save"),
        (b"index,label\n0,7\n", "but starts with b'index,la': save the images with numpy.save"),
        (zipped(IMAGES, IMAGES), '(arr_0, arr_1): save the images alone, e.g. with numpy.save("images.npy"'),
        (b"\x80\x04\x95", "but a pickle: save the images with numpy.save"),
        (b"GIF89a", "but a GIF picture: save"),
        (b"\x93NUMPY\x09\x00", "save the images with numpy.save"),
        (npy(IMAGES)[:30], "save the images with numpy.save"),
        (npy(IMAGES.astype(np.float32)), 'float32, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES / 255), "multiplying by 255"),
        (npy(IMAGES.astype(np.int64)), 'int64, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES.astype(">u4")), 'uint32, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES.astype(np.int8)), 'holds int8, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES.astype(">u2")), 'holds uint16, the model takes uint8 (0 to 255): save them with .ast'),
        (npy(IMAGES.astype(np.int8)), 'after adding 128 if they range from -128 to 127'),
        (npy(IMAGES.astype("<u2")), 'after dividing by 257 if they range from 0 to 65,535'),
        (npy(IMAGES > 0), 'bool, the model takes uint8 (0 to 255): save them with .astype("uint8") * 255'),
        (npy(IMAGES.astype(np.complex64)), "complex64, the model takes uint8 (0 to 255): save raw pixels"),
        (npy(np.array([None, "x"], object)), "holds Python objects (object), the model takes uint8 (0 to 255)"),
        (npy(np.zeros(2, [("red", np.uint8), ("gr\nn", np.uint8)])), "holds records ('red', 'gr\\nn'), the"),
        (npy(np.zeros(2, [("only", np.uint8)])), "holds records ('only',), the model takes"),
        (npy(np.zeros((2, 4), "U3")), "save raw pixels"),
        (npy(IMAGES.ravel()), "has shape (48,), as labels have"),
        (npy(IMAGES[None]), "reshape it"),
        (npy(np.uint8(7)), "reshape it"),
        (npy(np.zeros((5, 0, 3), np.uint8)), "reshape it"),
        (npy(IMAGES)[:-1], "47 bytes of values, its header says 48"),
        (npy(IMAGES) + b"\n", "49 bytes of values, its header says 48"),
        (npy(np.asfortranarray(IMAGES))[:-1], "47 bytes of values, its header says 48"),
        (idx(IMAGES)[:-1], "47 bytes of values, its header says 48"),
        (idx(IMAGES) + b"\n", "49 bytes of values, its header says 48"),
        (idx(IMAGES)[:15], "is not an IDX file of bytes (its header is incomplete)"),
        (idx(IMAGES)[:3], "is not an IDX file of bytes (it does not start with two zero bytes)"),
        (idx(IMAGES.ravel()), "has shape (48,), as labels have"),
        (idx(IMAGES.reshape(2, 24)[:, :, None, None, None]), "it has 5 dimensions, images have 3 or 4 and labels 1"),
        (struct.pack(">HBB", 0, 8, 0), "it has 0 dimensions"),
        (idx(IMAGES, 0x0D), "its values are float32, not uint8"),
        (idx(IMAGES, 0x77), "its values are of the unknown type 0x77"),
        (struct.pack(">HBBIII", 0, 8, 3, *[2**32 - 1] * 3), f"0 bytes of values, its header says {(2**32 - 1) ** 3:,}"),
        (
            gzip.compress(npy(IMAGES), mtime=0),
            "does not hold an IDX file of bytes (it does not start with two zero bytes): decompress it",
        ),
        (gzip.compress(b"", mtime=0), "does not hold an IDX file of bytes"),
        (gzip.compress(idx(IMAGES)[:-1], mtime=0), "47 bytes of values, its header says 48"),
        (gzip.compress(idx(IMAGES) + b"\n", mtime=0), "49 bytes of values, its header says 48"),
        (gzip.compress(idx(IMAGES), mtime=0) + b"\n", "is a damaged gzip file (Not a gzipped file (b'\\n'))"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "is a damaged gzip file"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-8] + bytes(8), "is a damaged gzip file (CRC check failed"),
        (gzip.compress(idx(IMAGES), mtime=0)[:20] + b"\xff" * 20, "is a damaged gzip file"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "is a damaged gzip file (Error -3 while decompressing data"),
    ],
)  # fmt: skip
def test_file_without_images_is_refused_with_advice(tmp_path, content, advice):
    assert advice in refusal(tmp_path / "images.npy", content)


@pytest.mark.parametrize("order", ["False", "True"])
def test_header_larger_than_the_file_is_refused_before_memory_is_allocated(tmp_path, order):
    claim = header(f"({HUGE}, 4, 3, 2)", order=order)
    message = refusal(tmp_path / "images.npy", npy_with_header(claim, bytes(48)))
    assert f"{24 * HUGE:,}" in message


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(header("(2.0, 4, 3, 2)"), id="fractional-shape"),
        pytest.param(header("48"), id="shape-is-a-number"),
        pytest.param(header("(True, 48)"), id="shape-is-a-truth"),
        pytest.param(header("(2, -4, -3, 2)"), id="negative-shape"),
        pytest.param(header("(" + "9" * 3900 + ", 4)"), id="extent-of-4000-digits"),
        pytest.param(header("(0x" + "f" * 3900 + ", 4)"), id="extent-that-cannot-be-written"),
        pytest.param(header(descr="'no type'"), id="no-type"),
        pytest.param(header(descr="7"), id="type-is-a-number"),
        pytest.param(header(descr=r"'\d'"), id="type-that-python-warns-of"),
        pytest.param(header(order="'yes'"), id="order-is-a-word"),
        pytest.param("{}\n", id="empty"),
        pytest.param("{1: 2, 'a': 3}\n", id="keys-that-have-no-order"),
        pytest.param("{[]: 1}\n", id="key-that-is-a-list"),
        pytest.param("[1, 2]\n", id="list"),
        pytest.param("os.abort()\n", id="code"),
        pytest.param("{'descr': (\n", id="open-bracket"),
        pytest.param("{'descr': '''\n", id="open-string"),
        pytest.param("  1\n 2\n", id="indented"),
        pytest.param("(" * 900 + "\n", id="nested"),
        pytest.param(header() + " " * 5000 + "\n", id="long"),
        pytest.param(header().ljust(4097), id="just-too-long"),
    ],
)
def test_damaged_header_is_refused(tmp_path, damaged):
    assert "is not a .npy file (" in refusal(tmp_path / "images.npy", npy_with_header(damaged, bytes(48)))


def test_missing_file_folder_and_pipe_are_refused(tmp_path):
    assert "cannot be read: No such file or directory: give a .npy file" in refusal(tmp_path / "nowhere.npy")
    assert "is a folder, not a file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe or a device, not a file" in refusal(tmp_path / "pipe")
    assert "is a pipe or a device, not a file" in refusal(Path("/dev/zero"))
