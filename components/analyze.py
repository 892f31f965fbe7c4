"""Examples -> Statistics: exact counts over all pixels and labels, in one Beam job."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Block, Examples
from components.artifacts.statistics import SplitStatistics, Statistics
from components.beam import BeamOptions

# Sums of uint8 pixels over so many rows are below 2^24, so exact in float32, whose matrix product is fast.
EXACT_ROWS = 8192


def run(examples: Examples, beam: BeamOptions, out: Path) -> Statistics:
    """Counts every block, and adds the counts up per split."""
    import apache_beam

    blocks = [block for split in examples.blocks.values() for block in split]
    beam.run(
        lambda pipeline: (
            pipeline
            | "blocks" >> apache_beam.Create(blocks, reshuffle=len(blocks) > 1)
            | "count" >> apache_beam.Map(count_block, examples=examples)
            | "add up" >> apache_beam.CombinePerKey(total)
            | "gather" >> apache_beam.combiners.ToList()
            | "save" >> apache_beam.Map(_save, class_names=examples.class_names, out=out)
        )
    )
    return Statistics.load(out)


def count_block(block: Block, examples: Examples) -> tuple[str, SplitStatistics]:
    """The statistics of one block, under its split's name."""
    return block.split, count(examples.images(block), examples.labels(block), len(examples.class_names))


def count(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], classes: int) -> SplitStatistics:
    """Counts images and labels; a label outside of 0 to classes - 1 is counted but belongs to no class.

    Args:
        images: uint8 (n, h, w, c), 0 to 255.
        labels: int64 (n,).
        classes: number of classes.
    """
    channels = images.shape[-1]
    seen, counts = np.unique(labels, return_counts=True)
    return SplitStatistics(
        rows=len(images),
        image_types=frozenset([f"{images.dtype} {images.shape[1:]}"]),
        label_types=frozenset([str(labels.dtype)]),
        label_counts=dict(zip(seen.tolist(), counts.tolist(), strict=True)),
        pixel_counts=np.stack([np.bincount(images[..., c].reshape(-1), minlength=256) for c in range(channels)]),
        class_sums=_class_sums(images, labels, classes),
    )


def total(parts: Iterable[SplitStatistics]) -> SplitStatistics:
    """Adds counts up; integers, so that any grouping and order give the same."""
    return reduce(_add, parts)


def _add(one: SplitStatistics, other: SplitStatistics) -> SplitStatistics:
    labels = one.label_counts.keys() | other.label_counts.keys()
    return SplitStatistics(
        rows=one.rows + other.rows,
        image_types=one.image_types | other.image_types,
        label_types=one.label_types | other.label_types,
        label_counts={label: one.label_counts.get(label, 0) + other.label_counts.get(label, 0) for label in labels},
        pixel_counts=one.pixel_counts + other.pixel_counts,
        class_sums=one.class_sums + other.class_sums,
    )


def _class_sums(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.int64]:
    sums = np.zeros((classes, *images.shape[1:]), np.int64)
    for start in range(0, len(images), EXACT_ROWS):
        part = images[start : start + EXACT_ROWS].reshape(-1, sums[0].size).astype(np.float32)
        members = (labels[start : start + EXACT_ROWS] == np.arange(classes)[:, None]).astype(np.float32)
        sums += (members @ part).astype(np.int64).reshape(sums.shape)
    return sums


def _save(splits: list[tuple[str, SplitStatistics]], class_names: tuple[str, ...], out: Path) -> None:
    Statistics(path=out, class_names=class_names, splits=dict(sorted(splits))).save()
