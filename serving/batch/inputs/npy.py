"""The first bytes of a .npy file -> its layout, which the file's size has to confirm."""

from __future__ import annotations

import io
import warnings

import numpy as np

from serving.batch.inputs.layout import Layout

MAGIC = b"\x93NUMPY"

# A header names a type and a shape; a longer one is an attack or damage.
MAX_HEADER_BYTES = 4096
# The magic bytes, the version and the length precede the header.
HEAD_BYTES = 12 + MAX_HEADER_BYTES
MAX_EXTENT = (1 << 63) - 1


def read_layout(head: bytes) -> Layout:
    """Reads the header of a .npy file, version 1.0, 2.0 or 3.0, from its first HEAD_BYTES or the whole file.

    Raises: ValueError: the header is not valid; the text gives the reason.
    """
    stream = io.BytesIO(head)
    try:
        with warnings.catch_warnings():
            # numpy parses the header as Python: the parser warns of odd literals, and numpy of headers by Python 2.
            warnings.simplefilter("ignore")
            shape, fortran, dtype = _read(stream)
    except Exception as error:
        # Tokenizer, parser and types raise exceptions without a common class: TypeError, SyntaxError, MemoryError ...
        raise ValueError(str(error).partition("\n")[0] or type(error).__name__) from error
    if any(type(extent) is not int or not 0 <= extent <= MAX_EXTENT for extent in shape):
        raise ValueError("its shape has an invalid extent")
    return Layout(shape, dtype, stream.tell(), fortran)


def _read(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream, max_header_size=MAX_HEADER_BYTES)
    if version in ((2, 0), (3, 0)):
        # 3.0 is 2.0 in UTF-8, for the names of fields; arrays with fields are refused anyway.
        return np.lib.format.read_array_header_2_0(stream, max_header_size=MAX_HEADER_BYTES)
    raise ValueError(f"version {version[0]}.{version[1]} is not known")
