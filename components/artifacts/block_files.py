"""Rows of a split -> the files of a block of Examples, each whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Block
from components.artifacts.npy_writer import NpyWriter
from serving.files import replace_text


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
    with _staged(folder / block.images_file) as file:
        writer = NpyWriter(file)
        for images, numbers in parts:
            writer.append(images)
            labels.append(numbers)
        writer.finish()
    joined = np.concatenate(labels)
    with _staged(folder / block.labels_file) as file:
        labels_writer = NpyWriter(file)
        labels_writer.append(joined)
        labels_writer.finish()
    return replace(block, rows=len(joined))


def write_names(folder: Path, block: Block, files: Sequence[str]) -> None:
    """Writes the original file of each row of a block."""
    replace_text(folder / block.names_file, json.dumps(files, ensure_ascii=False))


@contextmanager
def _staged(path: Path) -> Iterator[IO[bytes]]:
    """A file that replaces `path` when it is complete, and is removed after an error."""
    # Two workers may write the same block, and one of them may be killed.
    staged = path.with_name(f".{path.name}.{os.getpid()}.npy")
    try:
        with staged.open("wb") as file:
            yield file
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
