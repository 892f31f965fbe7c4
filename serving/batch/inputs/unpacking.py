"""A packed array -> a plain file, with no more bytes than its header claims: damage must not fill the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from serving.batch.inputs.layout import Layout
from serving.batch.inputs.open_file import OpenFile, adopt
from serving.errors import InputError

PIECE_BYTES = 1 << 17


class Readable(Protocol):
    """A stream of unpacked bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class Writable(Protocol):
    """A file to write."""

    def write(self, content: bytes, /) -> int:
        """Writes bytes, and returns their number."""
        ...


def copy_array(stream: Readable, head_bytes: int, read_layout: Callable[[bytes], Layout], target: Writable) -> None:
    """Copies an array from a stream, up to one byte more than its header claims.

    Args:
        stream: the unpacked array.
        head_bytes: the largest size of its header.
        read_layout: reads the header.
        target: the file to write.

    Raises:
        ValueError: the header is not valid.
        Exception: the stream is damaged; the exceptions of its library.
    """
    head = stream.read(head_bytes)
    layout = read_layout(head)
    most_bytes = layout.offset_bytes + layout.values_bytes + 1
    target.write(head[:most_bytes])
    remaining_bytes = most_bytes - len(head)
    # The read that reaches the end also verifies the checksum.
    while remaining_bytes > 0 and (piece := stream.read(min(remaining_bytes, PIECE_BYTES))):
        remaining_bytes -= target.write(piece)


def unpack_to_temporary(packed: OpenFile, copy: Callable[[Writable], None]) -> OpenFile:
    """Makes an unnamed temporary file in the folder that TMPDIR names, with what `copy` writes.

    Raises:
        InputError: the disk is full.
        Exception: the exceptions of `copy`.
    """
    import tempfile

    try:
        with tempfile.TemporaryFile() as target:
            copy(target)
            target.flush()
            return adopt(packed.path, os.dup(target.fileno()))
    except OSError as error:
        if error.strerror is None:
            raise
        raise InputError(
            f"{packed.name} cannot be decompressed: {error.strerror}: "
            "set TMPDIR to a folder with enough space, or decompress it yourself"
        ) from error
