"""ReadPlan: all about a data set except its pixels, and the readers of its blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[Any]
Labels = npt.NDArray[Any]


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
    def read_parts(self) -> Iterator[tuple[Images, Labels]]:
        """Yields parts of the block, one or more: images (m, h, w, c) and labels (m,), in order.

        Every call yields the same. Images are uint8, 0 to 255, and labels int64. Only arrays may have other types,
        which validate refuses.

        Raises:
            InputError: rows cannot be read; the message names every such row of the block.
        """

    def read(self) -> tuple[Images, Labels]:
        """The whole block in memory: images (n, h, w, c) and labels (n,). Raises: InputError: as `read_parts`."""
        images, labels = zip(*self.read_parts(), strict=True)
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
        left_out: the number of files that are not pictures, by kind.
        validation_blocks: how many of the last blocks of the split `train` hold validation rows.
    """

    dataset: str
    version: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    readers: tuple[BlockReader, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    validation_blocks: int = 0
