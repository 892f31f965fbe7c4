"""An IDX file, the format of MNIST, plain or packed with gzip -> its layout, and its bytes by position."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np

from serving.errors import InputError
from serving.inputs.layout import Layout
from serving.inputs.open_file import OpenFile, adopt

MAGIC = b"\x00\x00"
GZIP_MAGIC = b"\x1f\x8b"
UINT8 = 0x08
OTHER_TYPES = {0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
MOST_DIMENSIONS = 4
HEAD_BYTES = 4 + 4 * MOST_DIMENSIONS
CHUNK_BYTES = 1 << 17


def read_layout(head: bytes) -> Layout:
    """Reads the header of an IDX file: two bytes 0, type, dimensions, and each extent in four bytes, big-endian.

    Args:
        head: the first HEAD_BYTES of the file, or all of it.

    Raises:
        ValueError: it is no such header; the text says why.
    """
    if len(head) < 4 or not head.startswith(MAGIC):
        raise ValueError("it does not begin as one")
    kind, dimensions = head[2], head[3]
    if kind != UINT8:
        raise ValueError(f"its values are {OTHER_TYPES.get(kind, f'of the unknown type {kind:#04x}')}, and not uint8")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"it has {dimensions} dimensions, images have 3 or 4 and labels 1")
    offset_bytes = 4 + 4 * dimensions
    if len(head) < offset_bytes:
        raise ValueError("its header was cut")
    return Layout(struct.unpack_from(f">{dimensions}I", head, 4), np.dtype(np.uint8), offset_bytes)


def unpack(packed: OpenFile) -> OpenFile:
    """Unpacks an IDX file into a file without a name, in the folder that TMPDIR says.

    Never more than one byte beyond what its header claims is unpacked: what claims little cannot fill the disk.

    Raises:
        InputError: no IDX file is inside, gzip finds it cut or damaged, or there is no room.
    """
    import gzip
    import tempfile

    try:
        with (
            os.fdopen(os.dup(packed.descriptor), "rb") as source,
            tempfile.TemporaryFile() as target,
        ):
            with gzip.GzipFile(fileobj=source) as stream:
                head = stream.read(HEAD_BYTES)
                layout = read_layout(head)
                target.write(head)
                left = layout.offset_bytes + layout.values_bytes + 1 - len(head)
                # The read that finds the end is the one that checks the CRC.
                while left > 0 and (piece := stream.read(min(left, CHUNK_BYTES))):
                    target.write(piece)
                    left -= len(piece)
            target.flush()
            return adopt(packed.path, os.dup(target.fileno()))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{packed.name} is a damaged gzip file ({error}): write or copy it again") from error
    except ValueError as error:
        raise InputError(
            f"{packed.name} holds no IDX file of bytes ({error}): unpack it with gunzip, and give what is inside"
        ) from error
    except OSError as error:
        raise InputError(
            f"{packed.name} cannot be unpacked: {error.strerror}: "
            "set TMPDIR to a folder with room for it, or unpack it with gunzip"
        ) from error
