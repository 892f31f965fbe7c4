"""Examples: the decoded images and labels of a data set, in blocks of fixed rows as .npy files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import Artifact
from serving.files import canonical_json, replace_text, write_json
from serving.traits import spread

# Every data set is read as these two: training looks at the first alone, the gate at the second alone.
SPLITS = ("train", "test")
# Of a sample, images that are in memory at once.
SAMPLED_ROWS = 1024


@dataclass(frozen=True)
class Block:
    """Consecutive rows of one split, as two files.

    Attributes:
        split: the split's name, e.g. `train`.
        index: the block's place in its split.
        rows: number of images.
        sha256: of the pixels and then the labels, as they stand in memory.
    """

    split: str
    index: int
    rows: int
    sha256: str

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
        """Name of the file that says which file each row was; there where rows were files of their own."""
        return f"{self.split}-{self.index:05d}.files.json"


@dataclass(frozen=True, kw_only=True)
class Examples(Artifact):
    """Attributes:
    dataset: the data set's name, e.g. `mnist`.
    version: the data set's version.
    class_names: by integer label.
    image_shape: (height, width, channels), as the data set declares it.
    blocks: of each split, in order.
    """

    dataset: str
    version: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    blocks: dict[str, tuple[Block, ...]]

    def rows(self, split: str) -> int:
        """The number of images in a split."""
        return sum(block.rows for block in self.blocks[split])

    def sha256(self, split: str) -> str:
        """The digest of a split's content: shape, pixels and labels in order."""
        content = [list(self.image_shape), [block.sha256 for block in self.blocks[split]]]
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()

    def images(self, block: Block) -> npt.NDArray[np.uint8]:
        """uint8 (rows, h, w, c), 0 to 255, mapped read-only from the file."""
        images: npt.NDArray[np.uint8] = np.load(self.path / block.images_file, mmap_mode="r", allow_pickle=False)
        return images

    def labels(self, block: Block) -> npt.NDArray[np.int64]:
        """int64 (rows,)."""
        labels: npt.NDArray[np.int64] = np.load(self.path / block.labels_file, allow_pickle=False)
        return labels

    def describe(self, split: str, row: int) -> str:
        """A row for a sentence: its index and, where it was a file of its own, the file: `row 7 (cat/07.png)`."""
        first = 0
        for block in self.blocks[split]:
            names = self.path / block.names_file
            if row < first + block.rows and names.is_file():
                return f"row {row:,} ({json.loads(names.read_text(encoding='utf-8'))[row - first]})"
            first += block.rows
        return f"row {row:,}"

    def all_images(self, split: str) -> npt.NDArray[np.uint8]:
        """uint8 (n, h, w, c), 0 to 255: the images of a whole split, in order, in memory."""
        return np.concatenate([self.images(block) for block in self.blocks[split]])

    def sampled_images(self, split: str, at_most: int) -> Iterator[npt.NDArray[np.uint8]]:
        """uint8 (m, h, w, c), 0 to 255, m at most SAMPLED_ROWS: some images of a split, spread over it, in order."""
        sample = spread(self.rows(split), at_most)
        first = 0
        for block in self.blocks[split]:
            rows = sample[(sample >= first) & (sample < first + block.rows)] - first
            images = self.images(block)
            for start in range(0, len(rows), SAMPLED_ROWS):
                yield images[rows[start : start + SAMPLED_ROWS]]
            first += block.rows

    def all_labels(self, split: str) -> npt.NDArray[np.int64]:
        """int64 (n,): the labels of a whole split, in order."""
        return np.concatenate([self.labels(block) for block in self.blocks[split]])

    def save(self) -> Self:
        """Writes examples.json; the blocks are written by `write_block`."""
        write_json(
            self.path / "examples.json",
            {
                "dataset": self.dataset,
                "version": self.version,
                "class_names": self.class_names,
                "image_shape": self.image_shape,
                "blocks": {split: [asdict(block) for block in blocks] for split, blocks in self.blocks.items()},
            },
        )
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads examples.json."""
        said = json.loads((path / "examples.json").read_text(encoding="utf-8"))
        return cls(
            path=path,
            dataset=said["dataset"],
            version=said["version"],
            class_names=tuple(said["class_names"]),
            image_shape=tuple(said["image_shape"]),
            blocks={split: tuple(Block(**block) for block in said["blocks"][split]) for split in SPLITS},
        )

    def summary(self) -> str:
        """Name, version, rows a split, shape."""
        splits = ", ".join(f"{self.rows(split):,} {split}" for split in self.blocks)
        return f"{self.dataset} {self.version}: {splits} images {'×'.join(map(str, self.image_shape))}"


def write_block(
    folder: Path,
    split: str,
    index: int,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    files: tuple[str, ...] = (),
) -> Block:
    """Writes the files of a block, each whole or not at all; writing it again changes nothing.

    Args:
        folder: the Examples' folder.
        split: which split it belongs to.
        index: its place in the split.
        images: uint8 (rows, h, w, c), 0 to 255.
        labels: int64 (rows,).
        files: the file of each row; empty where rows were no files of their own.
    """
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels).data)
    block = Block(split, index, len(images), digest.hexdigest())
    for name, array in ((block.images_file, images), (block.labels_file, labels)):
        # Two workers may be given the same block, and one of them may be killed.
        staged = folder / f".{name}.{os.getpid()}.npy"
        np.save(staged, array)
        os.replace(staged, folder / name)
    if files:
        replace_text(folder / block.names_file, json.dumps(files, ensure_ascii=False))
    return block
