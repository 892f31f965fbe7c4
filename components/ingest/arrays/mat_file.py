"""A .mat file of MATLAB, version 5 to 7.2 -> the shapes of its variables, and one of them as a plain .npy file."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts.npy_writer import NpyWriter
from serving.batch.inputs.kinds import HEAD_BYTES
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# A version 7.3 file is HDF5, behind a header of 512 bytes if MATLAB wrote it.
HDF5_MAGIC = re.compile(rb"MATLAB 7\.3 MAT-file|\x89HDF")
MAGIC = re.compile(rb"MATLAB 5\.0 MAT-file|" + HDF5_MAGIC.pattern)
# The size of the header that precedes the variables; its last two bytes tell the order of bytes.
VARIABLES_START = 128
# Number of rows that are in memory a second time while their order is changed.
COPIED_ROWS = 1024


def is_mat(head: bytes) -> bool:
    """Whether a file starts as a .mat file of any version since 5 does."""
    return MAGIC.match(head) is not None


def read_variables(file: Path) -> list[tuple[str, tuple[int, ...]]]:
    """The names and shapes of the variables, in order, without their values.

    Raises:
        InputError: the file is damaged, or of another version.
    """
    # 0.1 s, which other kinds of files do not need.
    from scipy.io import whosmat

    with file.open("rb") as stream:
        if HDF5_MAGIC.match(stream.read(HEAD_BYTES)):
            raise InputError(
                f"{shown(file)} is a MATLAB file of version 7.3 (HDF5), versions 5 to 7.2 are read: save it in MATLAB "
                "with save(..., '-v7'), or read it with h5py, which reverses the order of the dimensions, and save it "
                "with numpy.savez"
            )
    try:
        _require_whole(file)
        found = whosmat(str(file), appendmat=False)
    except Exception as error:
        # scipy's exceptions on damaged files have no common class.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{shown(file)} is a damaged .mat file ({reason}): write or copy it again") from error
    # MATLAB has no vectors, but columns and rows.
    return [(name, (max(shape),) if len(shape) == 2 and 1 in shape else tuple(shape)) for name, shape, _ in found]


def _require_whole(file: Path) -> None:
    """Refuses a file that ends within a variable, which scipy would leave out. Raises: ValueError; OSError."""
    size_bytes = file.stat().st_size
    with file.open("rb") as stream:
        order = "<" if stream.read(VARIABLES_START)[-2:] == b"IM" else ">"
        end = VARIABLES_START
        # Each variable begins with its type and its size in bytes.
        while len(tag := stream.read(8)) == 8:
            end += 8 + struct.unpack(f"{order}II", tag)[1]
            stream.seek(end)
    if tag or end != size_bytes:
        raise ValueError("its last variable is incomplete")


def write_variable(file: Path, name: str, target: Path, rows_last: bool) -> None:
    """Writes a variable as .npy.

    Args:
        file: the .mat file.
        name: the variable's name.
        target: the file to write.
        rows_last: whether the last index counts the rows.

    Raises:
        InputError: the variable is not an array of numbers or text.
        Exception: the file is damaged; scipy's exceptions have no common class.
    """
    from scipy.io import loadmat

    values = loadmat(str(file), appendmat=False, variable_names=[name])[name]
    plain = np.moveaxis(values, -1, 0) if rows_last else _undo_matrix(values)
    if not isinstance(plain, np.ndarray) or plain.dtype.hasobject:
        raise InputError(
            f"{shown(file / name)} is a struct, a sparse matrix or an array of cells: save a full array of numbers, or "
            "labels as cells of text"
        )
    # The file has the rows one after the other, where MATLAB has the first pixels of all rows. It is not mapped into
    # memory: on a full disk, that would kill the process.
    with target.open("wb") as opened:
        writer = NpyWriter(opened)
        for start in range(0, max(1, len(plain)), COPIED_ROWS):
            writer.append(plain[start : start + COPIED_ROWS])
        writer.finish()


def _undo_matrix(values: Any) -> Any:
    """What MATLAB saves as a matrix: a vector, whole numbers as floats, or text as cells or padded."""
    if not isinstance(values, np.ndarray):
        return values
    if values.ndim == 2 and 1 in values.shape:
        values = values.reshape(-1)
        if values.dtype == object and all(_is_text(cell) for cell in values):
            return np.array(["".join(cell.tolist()) for cell in values])
        if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.floor(values)).all():
            return values.astype(np.int64)
    return np.strings.rstrip(values) if values.dtype.kind == "U" else values


def _is_text(cell: object) -> bool:
    return isinstance(cell, np.ndarray) and cell.dtype.kind == "U" and cell.ndim == 1 and cell.size <= 1
