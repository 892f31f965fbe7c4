"""A file or folder -> the set of arrays in it, found by their names; the content of a file decides its kind."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from components.ingest.arrays.array_location import ArrayLocation, read_head
from components.ingest.arrays.array_set import ADVICE, ArraySet, NamedArray, build_set, name_array
from components.ingest.arrays.mat_file import is_mat, read_variables
from components.ingest.arrays.npz_archive import npz_members
from serving.batch.inputs import idx, npy
from serving.batch.inputs.array_file import is_array
from serving.batch.inputs.kinds import describe_kind, pointer
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

NPZ, MAT = ".npz", ".mat"
# Files of these names are arrays, also if they are damaged.
ARRAY_NAME = re.compile(r".*(\.npy|\.npz|\.mat|idx[134][-_.]ubyte(\.gz)?)", re.IGNORECASE | re.DOTALL)
# What numpy calls an array that is saved without a name.
UNNAMED = re.compile(r"arr_\d+")
IDX_TYPES = {idx.UINT8, *idx.OTHER_TYPES}


def find_arrays(path: Path) -> ArraySet:
    """Finds the arrays of an archive, .npz or .mat, or of a folder of .npz, .mat, .npy and IDX files.

    Only headers are read.

    Raises:
        InputError: the path is another file; no images and labels, or not those of one set; an ambiguous name; a
            damaged file.
    """
    if path.is_dir():
        return _find_in_folder(path)
    if not path.is_file():
        raise InputError(f"{shown(path)} is a pipe or a device: give a .npz or .mat file, or a folder of arrays")
    head = _head(path)
    if is_array(head):
        raise InputError(
            f"{shown(path)} holds one array: give the folder of the files with the images and with the labels, or "
            f"{ADVICE}"
        )
    if not head.startswith(b"PK") and not is_mat(head):
        kind = pointer(head) or f"not a .npz or .mat file, but {describe_kind(head)}: {ADVICE}"
        raise InputError(f"{shown(path)} is {kind}")
    arrays = [name_array(path, ArrayLocation(path, member), member) for member in _members(path, head)]
    return build_set(path, path.parent, arrays)


def _find_in_folder(folder: Path) -> ArraySet:
    names = set(_file_names(folder))
    # If a file is there both packed and unpacked, the unpacked one is used.
    names -= {f"{name}.gz" for name in names}
    arrays = [array for name in sorted(names) for array in _arrays_of(folder, folder / name)]
    if not arrays:
        raise InputError(
            f"{shown(folder)} holds no arrays: give a folder with IDX, .npy, .npz or .mat files, named as "
            "train-images-idx3-ubyte and train-labels-idx1-ubyte, or as x_train.npy and y_train.npy"
        )
    return build_set(folder, folder, arrays)


def _arrays_of(folder: Path, file: Path) -> Iterator[NamedArray]:
    """The arrays of one file of a folder; none if it is another kind of file."""
    if file.name.startswith(".") or not file.is_file():
        return
    head = _head(file)
    is_named = ARRAY_NAME.fullmatch(file.name) is not None
    if is_named and (where := pointer(head)) is not None:
        raise InputError(f"{shown(file)} is {where}")
    if file.suffix.lower() in (NPZ, MAT) or (is_mat(head) and head.startswith(b"MATLAB")):
        for member in _members(file, head):
            parts = (file.name,) if UNNAMED.fullmatch(member) else (member, file.name)
            yield name_array(folder, ArrayLocation(file, member), *parts)
    elif head.startswith(npy.MAGIC):
        yield name_array(folder, ArrayLocation(file), file.name)
    elif (dimensions := _idx_dimensions(file, head)) is not None or is_named:
        yield name_array(folder, ArrayLocation(file), file.name, dimensions=dimensions)


def _members(file: Path, head: bytes) -> list[str]:
    """The names of the arrays of an archive. Raises: InputError: it is damaged, or of another kind."""
    if is_mat(head):
        return [name for name, _ in read_variables(file)]
    if file.suffix.lower() == MAT:
        raise InputError(
            f"{shown(file)} is not a .mat file of MATLAB 5 to 7.2, but {describe_kind(head)}: save it in MATLAB with "
            "save(..., '-v7')"
        )
    return npz_members(file)


def _idx_dimensions(file: Path, head: bytes) -> int | None:
    """The number of dimensions of an IDX file, plain or packed with gzip; None for other files."""
    if head.startswith(idx.GZIP_MAGIC):
        try:
            with gzip.open(file) as stream:
                head = stream.read(4)
        except (OSError, EOFError, zlib.error):
            return None
    if len(head) < 4 or not head.startswith(idx.MAGIC) or head[2] not in IDX_TYPES:
        return None
    return head[3]


def _head(file: Path) -> bytes:
    try:
        return read_head(file)
    except OSError as error:
        raise _unreadable(file, error) from error


def _file_names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{shown(path)} cannot be read: {error.strerror}: make it readable")
