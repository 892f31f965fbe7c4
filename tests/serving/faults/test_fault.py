"""fault: the failures of the machine in the errors of the system and of libraries, made with a device that is full."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import ssl
import zipfile
from pathlib import Path

import numpy as np
import pytest

from components.beam import BeamOptions
from serving.faults.fault import Fault, fault_of

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is full")


def raised(work):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library has its own
        work()
    return caught.value


def write_plainly(folder):
    with (folder / "file").open("wb", buffering=0) as file:
        file.write(b"x" * 10)


def write_buffered(folder):
    with (folder / "file").open("w", encoding="utf-8") as file:
        file.write("text")


def write_npz(folder):
    with (folder / "file").open("wb") as out:
        np.savez(out, pixels=np.zeros(100_000))


def write_zip(folder):
    with zipfile.ZipFile(folder / "file", "w") as archive:
        archive.writestr("name", b"x" * 10)


def write_npy(folder):
    np.save(folder / "file", np.zeros(100_000), allow_pickle=False)


def copy(folder):
    (folder / "other").write_bytes(b"x" * 10)
    shutil.copyfile(folder / "other", folder / "file")


def write_with_tensorflow(folder):
    import tensorflow as tf

    tf.io.write_file(str(folder / "file"), "x" * 10)


def write_in_beam(folder):
    import apache_beam

    BeamOptions().run(lambda pipeline: pipeline | apache_beam.Create([folder]) | apache_beam.Map(write_plainly))


def write_figure(folder):
    from matplotlib.figure import Figure

    Figure().savefig(folder / "file", format="svg")


def write_picture(folder):
    from PIL import Image

    Image.new("L", (100, 100)).save(folder / "file", "PNG")


WRITES = [write_plainly, write_buffered, write_npz, write_zip, write_npy, copy, write_with_tensorflow, write_in_beam]
WRITES += [write_figure, write_picture]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_full_disk_is_found_with_its_file_however_it_is_reported(tmp_path, write):
    target = tmp_path / ("file.npy" if write is write_npy else "file")
    target.symlink_to(FULL)
    error = raised(lambda: write(tmp_path))
    found = fault_of(error)
    assert found is not None, repr(error)
    assert found.cause == "No space left on device"
    # numpy opens the file in C, and TensorFlow's path may be that of the device.
    assert found.file in (target, FULL)


def test_copied_folder_is_one_failure_with_the_size_of_the_folder(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    for name, size in (("a", 1000), ("b", 2000), ("c", 4000)):
        (tmp_path / "from" / name).write_bytes(bytes(size))
    for name in ("b", "c"):
        (tmp_path / "to" / name).symlink_to(FULL)
    error = raised(lambda: shutil.copytree(tmp_path / "from", tmp_path / "to", dirs_exist_ok=True))
    assert isinstance(error, shutil.Error)
    assert fault_of(error) in [Fault(errno.ENOSPC, tmp_path / "to" / name, 7000) for name in ("b", "c")]


@pytest.mark.parametrize(
    ("error", "number", "file"),
    [
        (OSError(errno.EIO, "Input/output error", "/runs/a"), errno.EIO, "/runs/a"),
        (OSError(errno.EXDEV, "Invalid cross-device link", "/runs/a", None, "/models/b"), errno.EXDEV, "/models/b"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), errno.EDQUOT, None),
        (OSError("83008 requested and 59872 written"), errno.ENOSPC, None),
        (MemoryError("Unable to allocate 3 TiB"), errno.ENOMEM, None),
        (sqlite3.OperationalError("database or disk is full"), errno.ENOSPC, None),
        (sqlite3.OperationalError("disk I/O error"), errno.EIO, None),
        (sqlite3.OperationalError("attempt to write a readonly database"), errno.EROFS, None),
        (RuntimeError("[ONNXRuntimeError] : 6 : std::bad_alloc"), errno.ENOMEM, None),
        (
            RuntimeError(
                'ResourceExhaustedError: Failed to finalize writing of split "train": '
                "data/digits/incomplete.1_1.0.0/digits-train; No space left on device"
            ),
            errno.ENOSPC,
            "data/digits/incomplete.1_1.0.0/digits-train",
        ),
        (
            RuntimeError("Traceback …\nOSError: [Errno 28] No space left on device: '/a' -> '/b c' [while running 'x'"),
            errno.ENOSPC,
            "/b c",
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_error_as_its_library_raises_it(error, number, file):
    found = fault_of(error)
    assert found == Fault(number, None if file is None else Path(file))
    wrapped = raised(lambda: raise_from(error))
    assert fault_of(wrapped) == found


def raise_from(error):
    raise LookupError("a library's own error") from error


@pytest.mark.parametrize(
    "error",
    [
        ValueError("negative"),
        KeyError("loss"),
        OSError("cannot identify image file"),
        ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)),
        ssl.SSLError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
        RuntimeError("the server answered: Permission denied"),
    ],
    ids=repr,
)
def test_other_errors_are_not_failures_of_the_machine(error):
    assert fault_of(error) is None
