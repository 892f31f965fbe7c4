"""An array in a file, in an archive or packed with gzip -> a plain file, whose rows any process reads by position."""

from __future__ import annotations

import gzip
import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from serving.errors import InputError
from serving.inputs import idx, npy
from serving.inputs.array_file import ArrayFile, open_array
from serving.inputs.layout import Layout
from serving.inputs.open_file import adopt, shown, unreadable

NUMBERS = "biuf"
TEXTS = "US"


@dataclass(frozen=True)
class Stored:
    """An array in a plain file, .npy or IDX.

    Attributes:
        name: what messages call it: the user's file, and the array in it where it is an archive.
        data: the file, absolute.
        what: the array holds, in the plural, for messages.
    """

    name: Path
    data: Path
    what: str

    def open(self, kinds: str = NUMBERS) -> ArrayFile:
        """Opens the file.

        Args:
            kinds: what the values may be, as `numpy.dtype.kind` says it.

        Raises:
            InputError: it is no such array, or was cut.
        """
        try:
            descriptor = os.open(self.data, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(self.name, error) from error
        array = open_array(adopt(self.name, descriptor), self.what)
        dtype = array.layout.dtype
        if dtype.kind not in kinds:
            kind = "Python objects, which are never loaded" if dtype.hasobject else str(dtype)
            wanted = "text" if kinds == TEXTS else "numbers"
            raise InputError(f"{array.name} holds {kind}: save {self.what} as an array of {wanted}")
        array.require_whole()
        return array

    def read(self, start: int, stop: int, kinds: str = NUMBERS) -> npt.NDArray[Any]:
        """Rows from `start` to before `stop`, one or more: (stop - start, …), of the file's type in native order.

        Raises:
            InputError: as `open` does.
        """
        array = self.open(kinds)
        values = np.empty((stop - start, *array.layout.shape[1:]), array.layout.dtype)
        array.read_into(values, start)
        return values.astype(values.dtype.newbyteorder("="), copy=False)


@dataclass(frozen=True)
class Origin:
    """Where a user keeps an array.

    Attributes:
        file: .npz, or IDX, plain or packed with gzip; absolute.
        member: of the .npz; None where the file is the array.
    """

    file: Path
    member: str | None

    def unpack(self, scratch: Path, what: str) -> Stored:
        """Makes the array a plain file where it is none, in pieces.

        Args:
            scratch: the folder where that is written.
            what: the array holds, in the plural, for messages.

        Raises:
            InputError: the file is damaged, or there is no room.
        """
        name = self.file if self.member is None else self.file / self.member
        target = scratch / hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
        try:
            if self.member is not None:
                with zipfile.ZipFile(self.file) as archive, archive.open(f"{self.member}.npy") as stream:
                    _copy(stream, npy.HEAD_BYTES, npy.read_layout, target)
            elif _is_packed(self.file):
                with gzip.open(self.file) as stream:
                    _copy(stream, idx.HEAD_BYTES, idx.read_layout, target)
            else:
                target = self.file
        except OSError as error:
            if error.strerror is None:
                raise _damaged(name, error) from error
            raise InputError(
                f"{shown(name)} cannot be unpacked to {shown(scratch)}: {error.strerror}: make it readable, and "
                "room there"
            ) from error
        except Exception as error:
            # What readers of zip files raise on damaged ones has no common kind.
            raise _damaged(name, error) from error
        return Stored(name, target, what)


def _is_packed(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(idx.GZIP_MAGIC)) == idx.GZIP_MAGIC


def _copy(
    stream: IO[bytes] | gzip.GzipFile, head_bytes: int, read_layout: Callable[[bytes], Layout], target: Path
) -> None:
    """Writes what a stream unpacks to, and at most one byte beyond what its header claims."""
    head = stream.read(head_bytes)
    layout = read_layout(head)
    left = layout.offset_bytes + layout.values_bytes + 1
    with target.open("wb") as file:
        piece = head
        # The read that finds the end is the one that checks the sum.
        while piece and left > 0:
            left -= file.write(piece[:left])
            piece = stream.read(min(max(left, 1), idx.CHUNK_BYTES))


def _damaged(name: Path, error: Exception) -> InputError:
    why = str(error).partition("\n")[0] or type(error).__name__
    return InputError(f"{shown(name)} is damaged ({why}): write or copy it again")
