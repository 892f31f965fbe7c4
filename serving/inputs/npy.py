"""The first bytes of a .npy file -> its layout, believed by nobody until the file's size bears it out."""

from __future__ import annotations

import io
import warnings

import numpy as np

from serving.inputs.layout import Layout

MAGIC = b"\x93NUMPY"

# A header names a type and a shape; one that is longer is an attack or an accident.
MAX_HEADER_BYTES = 4096
# Magic, version and the length of the header come before it.
HEAD_BYTES = 12 + MAX_HEADER_BYTES
MAX_EXTENT = (1 << 63) - 1


def read_layout(head: bytes) -> Layout:
    """Reads the header of a .npy file, version 1.0, 2.0 or 3.0.

    Args:
        head: the first HEAD_BYTES of the file, or all of it.

    Raises:
        ValueError: it is no such header; the text says why.
    """
    stream = io.BytesIO(head)
    try:
        with warnings.catch_warnings():
            # The header is read as Python, whose parser warns of odd literals, and numpy of headers by Python 2.
            warnings.simplefilter("ignore")
            shape, fortran, dtype = _read(stream)
    except Exception as error:
        # What its tokenizer, parser and types raise has no common kind: TypeError, SyntaxError, MemoryError ...
        raise ValueError(str(error).partition("\n")[0] or type(error).__name__) from error
    if any(type(extent) is not int or not 0 <= extent <= MAX_EXTENT for extent in shape):
        raise ValueError("its shape has an extent that is no size")
    return Layout(shape, dtype, stream.tell(), fortran)


def _read(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream, max_header_size=MAX_HEADER_BYTES)
    if version in ((2, 0), (3, 0)):
        # 3.0 is 2.0 in UTF-8, for the names of fields; arrays with fields are refused anyway.
        return np.lib.format.read_array_header_2_0(stream, max_header_size=MAX_HEADER_BYTES)
    raise ValueError(f"version {version[0]}.{version[1]} is not known")
