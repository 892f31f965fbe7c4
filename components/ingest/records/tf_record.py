"""A TFRecord file -> the bytes of its records; every checksum is verified."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

# Size of the buffer for reading.
READ_BYTES = 1 << 18
# Before a record: its length, and a checksum of the length. After a record: a checksum of its content.
HEAD = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
FRAME_BYTES = HEAD.size + CHECKSUM.size
# A checksum is stored rotated by 15 bits, plus this number: records may hold checksums themselves.
MASK_DELTA = 0xA282EAD8


class DamagedRecordsError(ValueError):
    """A file that is not made of whole records; the text is the reason."""


def read_records(file: str, offset_bytes: int = 0, most: int | None = None) -> Iterator[bytes]:
    """Yields the records from a position on, `most` at most; None yields all of them.

    Raises:
        DamagedRecordsError: a record is cut off, or a checksum is wrong.
        OSError: the file cannot be read.
    """
    size = os.path.getsize(file)
    with open(file, "rb", buffering=READ_BYTES) as stream:
        stream.seek(offset_bytes)
        read = 0
        while offset_bytes < size and read != most:
            record = _read_record(stream, offset_bytes, size)
            offset_bytes += FRAME_BYTES + len(record)
            read += 1
            yield record


def find_offsets(file: str) -> Iterator[int]:
    """Yields the position of each whole record, in bytes; only the lengths are read, and no checksum."""
    size = os.path.getsize(file)
    offset = 0
    with open(file, "rb", buffering=READ_BYTES) as stream:
        while len(head := stream.read(HEAD.size)) == HEAD.size:
            length, _ = HEAD.unpack(head)
            if offset + FRAME_BYTES + length > size:
                return
            yield offset
            offset += FRAME_BYTES + length
            stream.seek(offset)


def _read_record(stream: BinaryIO, offset: int, size: int) -> bytes:
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        raise DamagedRecordsError(f"truncated record at {offset}")
    length, checksum = HEAD.unpack(head)
    # The length is checked before it is used: a wrong one may be any number.
    if _masked(head[:8]) != checksum:
        raise DamagedRecordsError(f"corrupted record at {offset}")
    if offset + FRAME_BYTES + length > size:
        raise DamagedRecordsError(f"truncated record at {offset}")
    record = stream.read(length)
    if CHECKSUM.pack(_masked(record)) != stream.read(CHECKSUM.size):
        raise DamagedRecordsError(f"corrupted record at {offset}")
    return record


def _masked(content: bytes) -> int:
    from google_crc32c import value

    checksum: int = value(content)
    return ((checksum >> 15 | checksum << 17) + MASK_DELTA) & 0xFFFFFFFF
