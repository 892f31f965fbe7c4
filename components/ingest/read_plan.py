"""ReadPlan: all about a data set except its pixels, and the readers of its blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.ingest.bad_rows import BadRow, describe
from serving.errors import InputError

Images = npt.NDArray[Any]
Labels = npt.NDArray[Any]


class Part(NamedTuple):
    """Rows of a block: images (m, h, w, c) and labels (m,) of those that can be used, and the others."""

    images: Images
    labels: Labels
    bad: tuple[BadRow, ...] = ()


def part_without(images: Images, labels: Labels, unusable: Sequence[int], bad: Sequence[BadRow]) -> Part:
    """A part without the rows at some indices, which are the bad ones."""
    if not unusable:
        return Part(images, labels)
    usable = np.delete(np.arange(len(labels)), unusable)
    return Part(images[usable], labels[usable], tuple(bad))


@dataclass(frozen=True)
class BlockReader(ABC):
    """All that a worker needs to read the rows of one block. It is sent to workers by pickle.

    Attributes:
        split: `train` or `test`.
        index: the block's index in its split, from 0.
    """

    split: str
    index: int

    @abstractmethod
    def read_parts(self) -> Iterator[Part]:
        """Yields parts of the block, one or more, in order.

        Every call yields the same. Images are uint8, 0 to 255, and labels int64. Only arrays may have other types,
        which validate refuses. A row that cannot be used is a part of the result, so that every row is tried.

        Raises:
            InputError: the file of the rows cannot be read, or holds other rows than it declares.
        """

    def read(self) -> tuple[Images, Labels]:
        """The whole block in memory: images (n, h, w, c) and labels (n,).

        Raises:
            InputError: as `read_parts`, or a row cannot be used.
        """
        images, labels, bad = zip(*self.read_parts(), strict=True)
        if rows := [row for part in bad for row in part]:
            raise InputError(f"{len(rows):,} images cannot be used: {describe(rows)}")
        return np.concatenate(images), np.concatenate(labels)

    @property
    def files(self) -> tuple[str, ...]:
        """The file of each row, relative to the set's folder; empty if rows are not files of their own."""
        return ()


@dataclass(frozen=True)
class ReadPlan:
    """A data set that was opened, but not decoded.

    Attributes:
        dataset: its name, e.g. `mnist`, `emnist/letters` or `folder:flowers`.
        version: its version, or a digest of its content if it has no version.
        class_names: by integer label.
        image_shape: (height, width, channels) of every image, after resizing.
        readers: the readers of all blocks of both splits, in order.
        left_out: the number of files that are not read, by kind.
        validation_blocks: how many of the last blocks of the split `train` hold validation rows.
    """

    dataset: str
    version: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    readers: tuple[BlockReader, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    validation_blocks: int = 0
