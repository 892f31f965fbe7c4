"""A .npz file with one array -> the array's .npy content, by position."""

from __future__ import annotations

import os

from serving.batch.inputs import npy
from serving.batch.inputs.open_file import OpenFile
from serving.batch.inputs.unpacking import Writable, copy_array, unpack_to_temporary
from serving.errors import InputError

MAGIC = b"PK\x03\x04"
SUFFIX = ".npy"
# Largest number of arrays that a message lists.
MAX_LISTED = 10


def unpack(packed: OpenFile, what: str) -> OpenFile:
    """Unpacks the only array of a .npz file into a temporary file.

    Args:
        packed: the file.
        what: the expected content, in the plural, for messages.

    Raises: InputError: the file holds several arrays or none, is damaged, or the disk is full.
    """
    # Other inputs do not need it, and start sooner.
    import zipfile

    try:
        with os.fdopen(os.dup(packed.descriptor), "rb") as source, zipfile.ZipFile(source) as archive:
            names = [name.removesuffix(SUFFIX) for name in archive.namelist() if name.endswith(SUFFIX)]
            if len(names) != 1:
                raise _choice_error(packed, names, what)

            def copy(target: Writable) -> None:
                with archive.open(names[0] + SUFFIX) as stream:
                    copy_array(stream, npy.HEAD_BYTES, npy.read_layout, target)

            return unpack_to_temporary(packed, copy)
    except InputError:
        raise
    except Exception as error:
        # The exceptions of zipfile on damaged files have no common class.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{packed.name} is a damaged .npz file ({reason}): write or copy it again") from error


def _choice_error(packed: OpenFile, names: list[str], what: str) -> InputError:
    if not names:
        return InputError(f"{packed.name} is a zip file without arrays: unpack it, or save the {what} with numpy.save")
    listed = ", ".join(names[:MAX_LISTED])
    return InputError(
        f"{packed.name} holds {len(names):,} arrays ({listed}): save the {what} alone, e.g. with "
        f'numpy.save("{what}.npy", numpy.load("{packed.path.name}")["{names[0]}"])'
    )
