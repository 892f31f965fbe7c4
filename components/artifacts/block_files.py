"""Rows of a split -> the files of a block of Examples, each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Block
from components.artifacts.npy_writer import NpyWriter
from serving.files import staged_file


def write_block(
    folder: Path,
    split: str,
    index: int,
    parts: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]],
) -> Block:
    """Writes the images and labels of a block, each whole or not at all; writing it again changes nothing.

    Args:
        folder: of the examples.
        split: the split's name.
        index: the block's index in its split.
        parts: one or more: images, uint8 (rows, h, w, c), 0 to 255, and their labels, int64 (rows,). Each part is
            written before the next one is taken, so that a block is never in memory as a whole.
    """
    block = Block(split, index, 0)
    labels: list[npt.NDArray[np.int64]] = []
    with staged_file(folder / block.images_file) as file:
        writer = NpyWriter(file)
        for images, numbers in parts:
            writer.append(images)
            labels.append(numbers)
        writer.finish()
    joined = np.concatenate(labels)
    with staged_file(folder / block.labels_file) as file:
        # Not numpy's own writer: it says neither which file it cannot write nor why.
        labels_writer = NpyWriter(file)
        labels_writer.append(joined)
        labels_writer.finish()
    return replace(block, rows=len(joined))


def write_names(folder: Path, block: Block, files: Sequence[str]) -> None:
    """Writes the original file of each row of a block."""
    with staged_file(folder / block.names_file) as file:
        file.write(json.dumps(files, ensure_ascii=False).encode())
