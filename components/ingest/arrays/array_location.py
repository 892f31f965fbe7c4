"""ArrayLocation -> UnpackedArray: an array of a user, and the plain file whose rows any process reads by position."""

from __future__ import annotations

import gzip
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.ingest.arrays.mat_file import is_mat, read_variables, write_variable
from serving.batch.inputs import idx, npy
from serving.batch.inputs.array_file import ArrayFile, open_array
from serving.batch.inputs.kinds import HEAD_BYTES
from serving.batch.inputs.layout import Layout
from serving.batch.inputs.open_file import adopt, open_file, shown, unreadable_error
from serving.batch.inputs.unpacking import Readable, copy_array
from serving.errors import InputError

# Kinds of values, as in `numpy.dtype.kind`.
NUMBERS = "biuf"
TEXT = "US"
# Size of the labels that are in memory at once.
PIECE_BYTES = 1 << 23


@dataclass(frozen=True)
class UnpackedArray:
    """An array in a plain file, .npy or IDX.

    Attributes:
        name: the user's file, and the array's name in an archive; for messages.
        file: the plain file, absolute.
        content: what the array holds, in the plural, e.g. `images`; for messages.
    """

    name: Path
    file: Path
    content: str

    def open(self, kinds: str = NUMBERS) -> ArrayFile:
        """Opens the file. Raises: InputError: its values are of other kinds, or it is incomplete."""
        try:
            descriptor = os.open(self.file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable_error(self.name, error) from error
        array = open_array(adopt(self.name, descriptor), self.content)
        dtype = array.layout.dtype
        if dtype.kind not in kinds or not dtype.itemsize:
            kind = "Python objects, which are never loaded" if dtype.hasobject else str(dtype)
            accepted = {TEXT: "text", NUMBERS: "numbers"}.get(kinds, "numbers or text")
            raise InputError(f"{array.name} holds {kind}: save {self.content} as an array of {accepted}")
        array.require_whole()
        return array

    def read(self, start: int, stop: int, kinds: str = NUMBERS) -> npt.NDArray[Any]:
        """The rows from `start` to before `stop`, 1 or more: (stop - start, …), in native byte order."""
        array = self.open(kinds)
        values = np.empty((stop - start, *array.layout.shape[1:]), array.layout.dtype)
        array.read_into(values, start)
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def pieces(self, kinds: str = NUMBERS) -> Iterator[npt.NDArray[Any]]:
        """All rows of labels, (n, …), in order, in arrays of at most PIECE_BYTES, or one row."""
        layout = self.open(kinds).layout
        rows = layout.shape[0] if layout.shape else 0
        step = max(1, PIECE_BYTES * rows // max(1, layout.values_bytes))
        for start in range(0, rows, step):
            yield self.read(start, min(rows, start + step), kinds)


@dataclass(frozen=True)
class ArrayLocation:
    """Where a user keeps an array.

    Attributes:
        file: .npz, .mat or .npy, or IDX, plain or packed with gzip; absolute.
        member: the array's name in the .npz or .mat; None for .npy and IDX.
        rows_last: whether the last index of the array counts the rows, as MATLAB's users have it.
    """

    file: Path
    member: str | None = None
    rows_last: bool = False

    @property
    def name(self) -> str:
        """The array's name in the archive, or the file's name."""
        return self.member or self.file.name

    @property
    def full_name(self) -> Path:
        """The file, and the array's name in it; for messages."""
        return self.file if self.member is None else self.file / self.member

    def is_mat(self) -> bool:
        """Whether it is a variable of a .mat file."""
        return self.member is not None and is_mat(read_head(self.file))

    def shape(self) -> tuple[int, ...]:
        """The array's shape, from its header. Raises: InputError: the header is damaged."""
        with _named_errors(self.full_name):
            if self.is_mat():
                return dict(read_variables(self.file))[str(self.member)]
            if self.member is not None:
                with zipfile.ZipFile(self.file) as archive, archive.open(f"{self.member}.npy") as stream:
                    return npy.read_layout(stream.read(npy.HEAD_BYTES)).shape
            return open_array(open_file(self.file), "arrays").layout.shape

    def unpack(self, scratch: Path, content: str) -> UnpackedArray:
        """Writes a packed array to a plain file, in pieces; a plain file is used in place.

        Args:
            scratch: the folder of unpacked files.
            content: what the array holds, in the plural, e.g. `images`; for messages.

        Raises:
            InputError: the file is damaged, or the disk is full.
        """
        name = self.full_name
        target = scratch_file(scratch, name)
        with _named_errors(name, scratch):
            if self.is_mat():
                write_variable(self.file, str(self.member), target, self.rows_last)
            elif self.member is not None:
                with zipfile.ZipFile(self.file) as archive, archive.open(f"{self.member}.npy") as stream:
                    _copy_to(target, stream, npy.HEAD_BYTES, npy.read_layout)
            elif read_head(self.file).startswith(idx.GZIP_MAGIC):
                with gzip.open(self.file) as stream:
                    _copy_to(target, stream, idx.HEAD_BYTES, idx.read_layout)
            else:
                target = self.file
        return UnpackedArray(name, target, content)


def scratch_file(scratch: Path, name: Path) -> Path:
    """The file in the folder of unpacked files for what has this name."""
    return scratch / hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


@contextmanager
def _named_errors(name: Path, scratch: Path | None = None) -> Iterator[None]:
    """Names the array in the errors of the libraries that read it."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        if error.strerror is None:
            raise _damaged(name, error) from error
        if scratch is None:
            raise InputError(f"{shown(name)} cannot be read: {error.strerror}: make the file readable") from error
        raise InputError(
            f"{shown(name)} cannot be unpacked to {shown(scratch)}: {error.strerror}: make the file readable, and "
            "the folder writable with enough space"
        ) from error
    except Exception as error:
        # The exceptions of zip readers and of scipy on damaged files have no common class.
        raise _damaged(name, error) from error


def read_head(file: Path) -> bytes:
    """The first bytes of a file, which tell its kind. Raises: OSError."""
    with file.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _copy_to(target: Path, stream: Readable, head_bytes: int, read_layout: Callable[[bytes], Layout]) -> None:
    with target.open("wb") as file:
        copy_array(stream, head_bytes, read_layout, file)


def _damaged(name: Path, error: Exception) -> InputError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return InputError(f"{shown(name)} is damaged ({reason}): write or copy it again")
