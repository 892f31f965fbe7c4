"""An IDX file, the format of MNIST, plain or compressed with gzip -> its layout, and its bytes by position."""

from __future__ import annotations

import os
import struct
import zlib
from functools import partial

import numpy as np

from serving.batch.inputs.layout import Layout
from serving.batch.inputs.open_file import OpenFile
from serving.batch.inputs.unpacking import copy_array, unpack_to_temporary
from serving.errors import InputError

MAGIC = b"\x00\x00"
GZIP_MAGIC = b"\x1f\x8b"
UINT8 = 0x08
OTHER_TYPES = {0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
MOST_DIMENSIONS = 4
HEAD_BYTES = 4 + 4 * MOST_DIMENSIONS


def read_layout(head: bytes) -> Layout:
    """Reads the header of an IDX file from its first HEAD_BYTES, or from the whole file if it is shorter.

    The header is two zero bytes, the type, the number of dimensions, and each extent in four bytes, big-endian.

    Raises: ValueError: the header is not valid; the text gives the reason.
    """
    if len(head) < 4 or not head.startswith(MAGIC):
        raise ValueError("it does not start with two zero bytes")
    kind, dimensions = head[2], head[3]
    if kind != UINT8:
        raise ValueError(f"its values are {OTHER_TYPES.get(kind, f'of the unknown type {kind:#04x}')}, not uint8")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"it has {dimensions} dimensions, images have 3 or 4 and labels 1")
    offset_bytes = 4 + 4 * dimensions
    if len(head) < offset_bytes:
        raise ValueError("its header is incomplete")
    return Layout(struct.unpack_from(f">{dimensions}I", head, 4), np.dtype(np.uint8), offset_bytes)


def unpack(packed: OpenFile) -> OpenFile:
    """Decompresses an IDX file into an unnamed temporary file in the folder that TMPDIR names.

    At most one byte more than the header claims is decompressed, so a small claim cannot fill the disk.

    Raises: InputError: the content is not an IDX file, gzip finds damage, or the disk is full.
    """
    import gzip

    try:
        with os.fdopen(os.dup(packed.descriptor), "rb") as source, gzip.GzipFile(fileobj=source) as stream:
            return unpack_to_temporary(packed, partial(copy_array, stream, HEAD_BYTES, read_layout))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{packed.name} is a damaged gzip file ({error}): write or copy it again") from error
    except ValueError as error:
        raise InputError(
            f"{packed.name} does not hold an IDX file of bytes ({error}): decompress it, and give the content"
        ) from error
