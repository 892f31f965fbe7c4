"""Named inputs -> one source of images: files, folders of pictures and patterns, joined in their order."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from pathlib import Path
from typing import Self

from serving.batch.inputs import idx
from serving.batch.inputs.array_file import is_array
from serving.batch.inputs.array_images import open_array_images
from serving.batch.inputs.kinds import HEAD_BYTES, other_picture_kind, picture_kind
from serving.batch.inputs.open_file import ACCEPTED, OpenFile, open_file, shown
from serving.blocks import Colour, Images, OtherSizes, Source, Unreadable
from serving.bundle.bundle import Bundle
from serving.bundle.resizing import require_resizing, resizes
from serving.errors import InputError


def find_images(inputs: Sequence[str], skip_bad: bool = False, resize: bool = False) -> Source:
    """Finds images, and checks the headers of arrays; pictures are checked when they are read.

    Args:
        inputs: each a file (.npy, IDX, IDX compressed with gzip, a picture, recognised by its first bytes), a folder
            of pictures, or a pattern such as 'night-*.npy'. An existing path is never a pattern.
        skip_bad: whether an unreadable picture becomes a black image that its block lists, instead of an error.
        resize: whether images of another size than the model's are resized; otherwise they are refused.

    Raises: InputError: an input does not exist, or holds no uint8 images.
    """
    left_out: Counter[str] = Counter()
    found = [part for name in inputs for path in _expand(name) for part in _parts(path, skip_bad, left_out)]
    sources: list[Source] = []
    for kind, parts in groupby(found, key=type):
        if kind is str:
            # Consecutive pictures are one source: there may be very many.
            from serving.batch.inputs.pictures import find_pictures

            sources.append(find_pictures([part for part in parts if isinstance(part, str)], skip_bad))
        else:
            sources += [part for part in parts if isinstance(part, Source)]
    if not sources:
        raise InputError(f"no images are named: give {ACCEPTED}")
    source = replace(sources[0] if len(sources) == 1 else _join(sources), left_out=dict(left_out))
    return source.with_other_sizes(OtherSizes.RESIZED) if resize else source


def fit_images(source: Source, bundle: Bundle) -> Source:
    """Checks that a model takes the images. Refusals advise to resize images only if the model allows it.

    Transparent pictures are laid on the model's background, if it has one.

    Raises:
        InputError: the images do not fit, or they are to be resized, and the model does not allow it; or this release
            does not know how the model lays pictures on a background.
    """
    if source.other_sizes is OtherSizes.RESIZED:
        try:
            require_resizing(bundle)
        except InputError as error:
            raise InputError(f"--resize: {error}") from error
    elif resizes(bundle.manifest):
        source = source.with_other_sizes(OtherSizes.RESIZABLE)
    if source.pictures:
        from serving.batch.decoding.background import background_of

        source = source.with_background(background_of(bundle))
    source.require_fit(bundle.manifest.image_shape)
    return source


def read_images(inputs: Sequence[str | os.PathLike[str]], bundle: Bundle, resize: bool = False) -> Images:
    """Reads all images of some inputs into memory, as `batch_score` gives them to a model.

    Args:
        inputs: files, folders and patterns, as for `find_images`.
        bundle: the model's, `scorer.bundle`.
        resize: whether images of other sizes are resized as the training images were; otherwise they are refused.

    Returns: uint8 (n, h, w, c), 0 to 255, of the model's input shape.

    Raises: InputError: an input cannot be read, or does not fit the model.
    """
    source = fit_images(find_images([os.fspath(name) for name in inputs], resize=resize), bundle)
    images = source.read(0, source.rows, bundle.manifest.image_shape).images
    source.require_unchanged()
    return images


def _expand(name: str) -> list[str]:
    if os.path.lexists(name):
        return [name]
    import glob

    if not glob.has_magic(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise InputError(f"{shown(name)} matches no file: give {ACCEPTED}, or another pattern")
    return found


def _parts(path: str, skip_bad: bool, left_out: Counter[str]) -> Sequence[str | Source]:
    """The paths of pictures, or one array or table. Only folders and tables import their modules: each takes time."""
    if os.path.isdir(path):
        from serving.batch.folders.picture_walk import describe_left_out, irregular_reason, walk

        files = walk(path)
        if files.irregular and not skip_bad:
            first = os.path.join(path, files.irregular[0])
            raise InputError(f"{shown(first)} {irregular_reason(first)}")
        left_out.update(files.left_out)
        if not files.pictures:
            rest = f", but {describe_left_out(files.left_out)}" if files.left_out else ""
            raise InputError(f"{shown(path)} holds no pictures{rest}: give {ACCEPTED}")
        return [os.path.join(path, name) for name in files.pictures]
    try:
        file = open_file(Path(path))
        head = file.head(HEAD_BYTES)
        if (picture_kind(head) or other_picture_kind(head)) is not None:
            return [path]
        if is_array(head) and not head.startswith(idx.GZIP_MAGIC):
            return [open_array_images(file)]
        return [_table_images(file, skip_bad) or open_array_images(file)]
    except InputError:
        from serving.batch.folders.picture_walk import SUFFIXES

        # A file with a picture's suffix is listed with its row when it is read.
        if skip_bad and path.lower().endswith(SUFFIXES):
            return [path]
        raise


def _table_images(file: OpenFile, skip_bad: bool) -> Source | None:
    """The images of a table; None if the file is none. Raises: InputError: the table holds no images."""
    from serving.batch.tables import open_table

    if not open_table.is_table(file.path, file.head(open_table.HEAD_BYTES)):
        return None
    from serving.batch.tables.table_images import open_table_images

    return open_table_images(file, skip_bad)


def _join(parts: Sequence[Source]) -> Source:
    named = any(part.named for part in parts)
    # The names of arrays are part of the output only if there are pictures too.
    names = [part.names(0, min(1, part.rows)) for part in parts] if named else []
    ends = list(accumulate(part.rows for part in parts))
    return _Joined(
        rows=ends[-1],
        paths=tuple(path for part in parts for path in part.paths),
        named=named,
        size_bytes=sum(part.size_bytes for part in parts),
        mtime_ns=max(part.mtime_ns for part in parts),
        sha256=hashlib.sha256(repr(([part.sha256 for part in parts], names)).encode()).hexdigest(),
        pictures=any(part.pictures for part in parts),
        parts=parts,
        ends=ends,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Joined(Source):
    """The rows of several sources, one after the other; `ends` are the indices after each part's last row."""

    parts: Sequence[Source]
    ends: Sequence[int]

    @property
    def described(self) -> str:
        return f"{self.parts[0].described} and the other inputs"

    def with_other_sizes(self, other_sizes: OtherSizes) -> Self:
        parts = [part.with_other_sizes(other_sizes) for part in self.parts]
        return replace(self, parts=parts, other_sizes=other_sizes)

    def with_background(self, background: Colour | None) -> Self:
        return replace(self, parts=[part.with_background(background) for part in self.parts], background=background)

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        return all(part.fits(image_shape) for part in self.parts)

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        for part in self.parts:
            part.require_fit(image_shape)

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        unreadable: list[Unreadable] = []
        for part, offset, first, last in self._pieces(start, start + len(images)):
            skipped = part.fill(images[offset + first - start : offset + last - start], first)
            unreadable += [(offset + row, reason) for row, reason in skipped]
        return unreadable

    def names(self, start: int, stop: int) -> list[str]:
        return [name for part, _, first, last in self._pieces(start, stop) for name in part.names(first, last)]

    def require_unchanged(self) -> None:
        for part in self.parts:
            part.require_unchanged()

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[Source, int, int, int]]:
        """The parts that hold some rows: each with the row of its start, and the range of rows within it."""
        for number in range(bisect_right(self.ends, start), len(self.parts)):
            part = self.parts[number]
            offset = self.ends[number] - part.rows
            if offset >= stop:
                return
            if part.rows:
                yield part, offset, max(start - offset, 0), min(stop - offset, part.rows)
