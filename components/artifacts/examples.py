"""Examples: the decoded images and labels of a data set, in blocks of rows as .npy files."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from components.artifacts.artifact import UNDIGESTED, Artifact
from serving.codec import read
from serving.files import canonical_json
from serving.machine import usable_processors
from serving.parallel import map_in_order

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Every data set has these two splits. Training reads only the first one, the gate only the second one.
SPLITS = ("train", "test")
# The list of rows that were left out because they cannot be used.
SKIPPED = "skipped.csv"
# Largest number of training images that calibrate the ranges of int8's activations.
CALIBRATION_ROWS = 1000
# Largest number of images of a sample that are in memory at once.
SAMPLED_ROWS = 1024
# The answers of file systems whose files cannot be mapped into memory, such as some of FUSE.
NO_MAPS = frozenset({errno.ENODEV, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM})
# np.load parses a header with `ast`, which CPython 3.11 cannot do in two threads at once: a callback of the garbage
# collector in between makes one of them fail with SystemError (gh-106905).
_LOADING = threading.Lock()


@dataclass(frozen=True)
class Block:
    """Consecutive rows of one split, as two files.

    Attributes:
        split: the split's name, e.g. `train`.
        index: the block's index in its split.
        rows: number of images.
    """

    # Blocks of earlier releases have a digest.
    IGNORES_UNKNOWN: ClassVar = True

    split: str
    index: int
    rows: int

    @property
    def images_file(self) -> str:
        """Name of the file of images, uint8 (rows, h, w, c)."""
        return f"{self.split}-{self.index:05d}.images.npy"

    @property
    def labels_file(self) -> str:
        """Name of the file of labels, int64 (rows,)."""
        return f"{self.split}-{self.index:05d}.labels.npy"

    @property
    def names_file(self) -> str:
        """Name of the file with each row's original file; it exists if each row was a file."""
        return f"{self.split}-{self.index:05d}.files.json"


@dataclass(frozen=True, kw_only=True)
class Examples(Artifact):
    """Attributes:
    dataset: the data set's name, e.g. `mnist`.
    version: the data set's version.
    class_names: by integer label.
    image_shape: (height, width, channels), from the data set.
    blocks: the blocks of each split, in order.
    resize: how ingest resized images to `image_shape`, the METHOD of `serving.resize`; None if it did not.
    validation_rows: how many of the last rows of the split `train` are the set's own validation rows; 0 if training
        chooses them from all its rows.
    background: the colour that ingest laid transparent pictures on, as `#rrggbb`; None if it refused them.
    skipped: the number of rows that could not be used and were left out, by kind; `skipped.csv` lists them.
    """

    FILE = "examples.json"
    UNSAVED = ("passed", "reasons")

    dataset: str
    version: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    blocks: dict[str, tuple[Block, ...]]
    resize: str | None = None
    validation_rows: int = 0
    background: str | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)

    def rows(self, split: str) -> int:
        """The number of images in a split."""
        return sum(block.rows for block in self.blocks[split])

    def sha256(self, split: str) -> str:
        """The digest of a split's content: shape, pixels and labels in order. Reads every byte."""
        digests = list(map_in_order(self._block_sha256, self.blocks[split], usable_processors()))
        return hashlib.sha256(canonical_json([list(self.image_shape), digests]).encode()).hexdigest()

    def _block_sha256(self, block: Block) -> str:
        """Of the bytes of the pixels followed by those of the labels."""
        digest = hashlib.sha256(self.images(block).data)
        digest.update(self.labels(block).data)
        return digest.hexdigest()

    def images(self, block: Block) -> npt.NDArray[np.uint8]:
        """uint8 (rows, h, w, c), 0 to 255, mapped read-only from the file, or in memory if it cannot be mapped."""
        import numpy as np

        file = self.path / block.images_file
        with _LOADING:
            try:
                images: npt.NDArray[np.uint8] = np.load(file, mmap_mode="r", allow_pickle=False)
            except OSError as error:
                if error.errno not in NO_MAPS:
                    raise
                images = np.load(file, allow_pickle=False)
        return images

    def labels(self, block: Block) -> npt.NDArray[np.int64]:
        """int64 (rows,)."""
        import numpy as np

        with _LOADING:
            labels: npt.NDArray[np.int64] = np.load(self.path / block.labels_file, allow_pickle=False)
        return labels

    def placed_blocks(self, split: str) -> Iterator[tuple[int, Block]]:
        """The blocks of a split, each with the index of its first row in the split."""
        first = 0
        for block in self.blocks[split]:
            yield first, block
            first += block.rows

    def all_images(self, split: str) -> npt.NDArray[np.uint8]:
        """uint8 (n, h, w, c), 0 to 255: the images of a whole split, in order, in memory."""
        import numpy as np

        return np.concatenate([self.images(block) for block in self.blocks[split]])

    def all_labels(self, split: str) -> npt.NDArray[np.int64]:
        """int64 (n,): the labels of a whole split, in order."""
        import numpy as np

        return np.concatenate([self.labels(block) for block in self.blocks[split]])

    def images_at(self, split: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """uint8 (n, h, w, c), 0 to 255: the images at some rows of a split, int64 (n,), in any order."""
        import numpy as np

        images = np.zeros((len(rows), *self.image_shape), np.uint8)
        for first, block in self.placed_blocks(split):
            here = _rows_between(rows, first, first + block.rows)
            if len(here):
                images[here] = self.images(block)[rows[here] - first]
        return images

    def names_at(self, split: str, rows: npt.NDArray[np.int64]) -> list[str | None]:
        """The original files of some rows of a split, int64 (n,), in any order; None for rows that were not files."""
        names: list[str | None] = [None] * len(rows)
        for first, block in self.placed_blocks(split):
            here, file = _rows_between(rows, first, first + block.rows), self.path / block.names_file
            if len(here) and file.is_file():
                of_block = read(tuple[str, ...], file)
                for index in here.tolist():
                    names[index] = of_block[rows[index] - first]
        return names

    def describe(self, split: str, row: int) -> str:
        """A row for a message: its index and, if it was a file, the file: `row 7 (cat/07.png)`."""
        import numpy as np

        (name,) = self.names_at(split, np.array([row]))
        return f"row {row:,}" if name is None else f"row {row:,} ({name})"

    def sampled_images(self, split: str, at_most: int) -> Iterator[npt.NDArray[np.uint8]]:
        """uint8 (m, h, w, c), 0 to 255, m at most SAMPLED_ROWS: a stratified sample of a split's images, in order."""
        from serving.drift.features import stratified_sample

        sample = stratified_sample(self.rows(split), at_most)
        for first, block in self.placed_blocks(split):
            rows = sample[_rows_between(sample, first, first + block.rows)] - first
            images = self.images(block)
            for start in range(0, len(rows), SAMPLED_ROWS):
                yield images[rows[start : start + SAMPLED_ROWS]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads examples.json."""
        saved = super().load(path)
        return replace(saved, blocks={split: saved.blocks[split] for split in SPLITS})

    def summary(self) -> str:
        """Name, version, rows of each split, shape, how images were changed, and what is not among them."""
        validation = f" ({self.validation_rows:,} of them for validation)" if self.validation_rows else ""
        splits = f"{self.rows('train'):,} train{validation}, {self.rows('test'):,} test"
        shape = "×".join(map(str, self.image_shape))
        resized = "" if self.resize is None else f", resized ({self.resize})"
        laid = "" if self.background is None else f", transparent ones on {self.background}"
        bad = ", ".join(f"{count:,} {kind}" for kind, count in self.skipped.items())
        skipped = f"; skipped, because they cannot be used: {bad} ({self.path / SKIPPED})" if bad else ""
        left_out = self.left_out()
        rest = ""
        if left_out:
            from serving.batch.folders.picture_walk import left_out_line

            rest = f"; {left_out_line(left_out)}"
        return f"{self.dataset} {self.version}: {splits} images {shape}{resized}{laid}{skipped}{rest}"

    def left_out(self) -> Mapping[str, int]:
        """The number of files of the data set that are not read, by kind; not part of the digest."""
        file = self.path / UNDIGESTED
        return read(dict[str, int], file) if file.exists() else {}


def _rows_between(rows: npt.NDArray[np.int64], start: int, stop: int) -> npt.NDArray[np.int64]:
    """int64: the indices of those rows that are from `start` to `stop` - 1."""
    import numpy as np

    return np.flatnonzero((rows >= start) & (rows < stop))
