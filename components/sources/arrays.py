"""Arrays of images and labels, in a .npz file or in IDX files: `--dataset arrays:PATH`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.sources import naming
from components.sources.class_names import count_classes, read_names
from components.sources.content import content_digest
from components.sources.pairs import IMAGES, LABELS, Pair, find_pairs
from components.sources.resize import resize
from components.sources.slicing import Part, choose_rows, cut
from components.sources.source import Images, Labels, Lack, Opened, Slice, Source, Wanted
from components.sources.stored import Origin, Stored
from serving.errors import InputError
from serving.inputs.open_file import shown

# Of images that are resized at once, before they are.
RESIZED_BYTES = 1 << 22
MOST_LABEL = np.iinfo(np.int64).max


class Split(NamedTuple):
    """Images and labels in plain files, checked as far as their headers go.

    Attributes:
        images: (rows, h, w) or (rows, h, w, c).
        labels: (rows,) or (rows, 1).
        rows: 1 or more.
        image_shape: (height, width, channels), as stored.
        types: of images and labels, as they are read.
    """

    images: Stored
    labels: Stored
    rows: int
    image_shape: tuple[int, int, int]
    types: tuple[np.dtype[Any], np.dtype[Any]]

    def read_images(self, start: int, stop: int, size: tuple[int, int]) -> Images:
        """(n, h, w, c) of the stored type and of this size; only uint8 may be stored in another."""
        if self.image_shape[:2] == size:
            return self._read(start, stop)
        images = np.empty((stop - start, *size, self.image_shape[2]), np.uint8)
        step = max(1, RESIZED_BYTES // math.prod(self.image_shape))
        for row in range(start, stop, step):
            end = min(row + step, stop)
            images[row - start : end - start] = resize(self._read(row, end), size)
        return images

    def _read(self, start: int, stop: int) -> Images:
        return self.images.read(start, stop).reshape(stop - start, *self.image_shape)

    def read_labels(self, start: int, stop: int) -> Labels:
        """(n,): int64 where they are integers, else of the stored type. Raises: InputError, where they do not fit."""
        labels: npt.NDArray[Any] = self.labels.read(start, stop).reshape(-1)
        if labels.dtype == np.uint64 and labels.max() > MOST_LABEL:
            row = int(labels.argmax())
            raise InputError(
                f"{shown(self.labels.name)} has the label {labels[row]} in row {start + row:,}, beyond all integers of "
                "64 bits: mend it"
            )
        return labels.astype(self.types[1], copy=False)


@dataclass(frozen=True)
class ArraysSlice(Slice):
    """Rows of one block.

    Attributes:
        rows: of which split of the set, in order: the split, first row, one past the last.
        size: height and width of its images.
    """

    rows: tuple[tuple[Split, int, int], ...]
    size: tuple[int, int]

    def read(self) -> tuple[Images, Labels]:
        """Reads the rows by position."""
        images = [split.read_images(start, stop, self.size) for split, start, stop in self.rows]
        labels = [split.read_labels(start, stop) for split, start, stop in self.rows]
        return np.concatenate(images), np.concatenate(labels)


@dataclass(frozen=True)
class Arrays(Source):
    """A .npz file with `x` and `y`, or `x_<split>` and `y_<split>`, or a folder with IDX files as MNIST has them.

    Attributes:
        path: of the file or the folder.
        memory: the folder where digests of contents are remembered; None remembers none.
    """

    path: Path
    memory: Path | None

    @property
    def model(self) -> str:
        """The last name without .npz, and digits of the path."""
        return naming.model_name(self.path)

    @property
    def origin(self) -> str:
        """The file or the folder."""
        return f"is in {shown(self.path)}"

    @property
    def written(self) -> Path | None:
        """None: nothing has to be prepared."""
        return None

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the files and their names."""
        return {"content": self._content()}

    def prepare(self) -> None:
        """Nothing, where the arrays are what their names should say. Raises: InputError."""
        find_pairs(naming.find_place(self.path))

    def lack(self) -> Lack | None:
        """None: what is not there is a mistake."""
        return None

    def open(self, wanted: Wanted, scratch: Path) -> Opened:
        """Unpacks what is packed, and reads the headers."""
        place = naming.find_place(self.path)
        found = find_pairs(place)
        scratch = scratch.absolute()
        splits = {name: _split(pair, scratch) for name, pair in found.splits.items()}
        chosen = choose_rows(wanted, {name: split.rows for name, split in splits.items()}, shown(place))
        for name, parts in chosen.items():
            _require_one_type(name, [splits[part.source] for part in parts])
        taken = [splits[part.source] for parts in chosen.values() for part in parts]
        shape = _image_shape(taken, wanted.resize)
        trained = {part.source: splits[part.source].labels for part in chosen["train"]}
        return Opened(
            dataset=f"arrays:{naming.set_name(self.path)}",
            version=self._content()[:12],
            class_names=_class_names(found.class_names, list(trained.values()), wanted, scratch),
            image_shape=shape,
            slices=tuple(
                ArraysSlice(name, index, _rows(piece, splits), shape[:2])
                for name, parts in chosen.items()
                for index, piece in enumerate(cut(parts, wanted.rows_of_block(shape)))
            ),
        )

    def _content(self) -> str:
        place = naming.find_place(self.path)
        found = find_pairs(place)
        return content_digest(found.root, found.files, self.memory, place)


def _rows(piece: Sequence[Part], splits: Mapping[str, Split]) -> tuple[tuple[Split, int, int], ...]:
    return tuple((splits[source], start, stop) for source, start, stop in piece)


def _split(pair: Pair, scratch: Path) -> Split:
    """Unpacks and checks images and labels of one split. Raises: InputError."""
    images, labels = pair.images.unpack(scratch, IMAGES), pair.labels.unpack(scratch, LABELS)
    pixels, numbers = images.open().layout, labels.open().layout
    if len(pixels.shape) not in (3, 4) or 0 in pixels.shape:
        fix = "reshape them, e.g. to (-1, height, width)" if len(pixels.shape) == 2 else "save one or more"
        raise InputError(f"{shown(images.name)} has shape {pixels.shape}, images are (n, h, w) or (n, h, w, c): {fix}")
    if not numbers.shape or numbers.shape[1:] not in ((), (1,)):
        raise InputError(
            f"{shown(labels.name)} has shape {numbers.shape}, labels are (n,): save one number for each image, of "
            "one-hot rows with .argmax(1)"
        )
    if numbers.shape[0] != pixels.shape[0]:
        raise InputError(
            f"{shown(images.name)} has {pixels.shape[0]:,} images and {shown(labels.name)} {numbers.shape[0]:,} "
            "labels: save one label for each image"
        )
    rows, height, width, channels = (*pixels.shape, 1)[:4]
    label_type = np.dtype(np.int64) if numbers.dtype.kind in "iu" else numbers.dtype.newbyteorder("=")
    types = (pixels.dtype.newbyteorder("="), label_type)
    return Split(images, labels, rows, (height, width, channels), types)


def _require_one_type(name: str, splits: Sequence[Split]) -> None:
    """Refuses parts that could be joined only by changing values of one. Raises: InputError."""
    first = splits[0]
    for other in splits:
        if other.types != first.types:
            said = [f"{shown(s.images.name)} {s.types[0]} with labels {s.types[1]}" for s in (first, other)]
            raise InputError(f"--ingest.{name}-split joins {said[0]} and {said[1]}: save them with one type")


def _image_shape(splits: Sequence[Split], size: tuple[int, int] | None) -> tuple[int, int, int]:
    """The one shape that all images have, or get. Raises: InputError."""
    shapes = {}
    for split in splits:
        height_width = size if size is not None and split.types[0] == np.uint8 else split.image_shape[:2]
        shapes[(*height_width, split.image_shape[2])] = split
    if len(shapes) > 1:
        (shape, one), (other_shape, other), *_ = shapes.items()
        raise InputError(
            f"{shown(one.images.name)} has images of shape {shape} (height, width, channels) and "
            f"{shown(other.images.name)} {other_shape}: save them with one shape, or as uint8 with one number of "
            f"channels and give --ingest.resize {shape[0]} {shape[1]}"
        )
    (shape,) = shapes
    return shape


def _class_names(stored: Origin | None, labels: Sequence[Stored], wanted: Wanted, scratch: Path) -> tuple[str, ...]:
    """The names that the set gives, else the labels themselves. Raises: InputError."""
    if stored is None:
        return tuple(map(str, range(wanted.classes or count_classes(labels))))
    names = read_names(stored.unpack(scratch, "names"))
    if wanted.classes not in (None, len(names)):
        raise InputError(
            f"--ingest.classes {wanted.classes}: {shown(stored.file)} names {len(names)} classes: leave the option out"
        )
    return names
