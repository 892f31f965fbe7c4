"""A .npz file -> the names of its arrays."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import IO

from components.ingest.arrays.array_set import ADVICE
from serving.batch.inputs.kinds import HEAD_BYTES, describe_kind
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# The last record of a zip file. Its fifth field is the number of members, or MANY for more than it can hold.
END_RECORD = struct.Struct("<4s4H2LH")
MANY = 0xFFFF


def npz_members(file: Path) -> list[str]:
    """The names of the arrays of a .npz file, in order, without reading their values.

    Raises:
        InputError: the file is not a .npz file or is damaged.
    """
    return [name.removesuffix(".npy") for name in _member_names(file) if name.endswith(".npy")]


def _member_names(file: Path) -> list[str]:
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            if head.startswith(b"PK"):
                return _checked_names(stream)
    except OSError as error:
        raise InputError(f"{shown(file)} cannot be read: {error.strerror}: make it readable") from error
    except Exception as error:
        # zipfile's exceptions on damaged files have no common class.
        raise InputError(f"{shown(file)} is a damaged .npz file ({error}): write or copy it again") from error
    raise InputError(f"{shown(file)} is not a .npz file, but {describe_kind(head)}: {ADVICE}")


def _checked_names(stream: IO[bytes]) -> list[str]:
    """The names of all members, compared with the members' own headers: zipfile silently skips damaged entries."""
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            archive.open(member).close()
        stream.seek(-END_RECORD.size - len(archive.comment), os.SEEK_END)
        entries = END_RECORD.unpack(stream.read(END_RECORD.size))[4]
        if entries not in (len(archive.infolist()), MANY):
            raise zipfile.BadZipFile("its directory is incomplete")
        return archive.namelist()
