"""Blocks of images and labels -> SplitStatistics and hashes: everything that `analyze` counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.analyze.duplicate_search import Hashes, PlacedBlock, content_hashes, write_hashes
from components.analyze.invalid_images import Images, Labels, find_invalid_images, find_invalid_labels
from components.artifacts.examples import Examples
from components.artifacts.statistics import SplitStatistics
from serving.parallel import map_in_order

# Images that are counted together: few enough to stay in the processor's cache.
CHUNK_ROWS = 2048
# 257 times 255 is the largest uint16: sums of at most 257 pixels are exact in it, and twice as fast as wider ones.
SUM_ROWS = 257
THREADS = 2


class Counts(NamedTuple):
    """Everything that is counted of a split or of a part of it.

    Attributes:
        statistics: the statistics of the split.
        class_sums: int64 (classes, h, w, c), the sum of the images of each class; zeros if images are not uint8 or
            labels are not integers.
    """

    statistics: SplitStatistics
    class_sums: npt.NDArray[np.int64]


class CountedBlock(NamedTuple):
    """A counted block; the hashes of its images are in a file.

    Attributes:
        placed: the block and its first row.
        counts: what is counted of the block alone.
    """

    placed: PlacedBlock
    counts: Counts


def count_block(placed: PlacedBlock, examples: Examples, hashes: Path, count_of_ranges: int) -> CountedBlock:
    """Counts one block, and writes the hashes of its images to a file in `hashes`."""
    images, labels = examples.images(placed.block), examples.labels(placed.block)
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(images), CHUNK_ROWS)]

    def count_chunk(chunk: slice) -> tuple[Counts, Hashes]:
        counted = count(images[chunk], labels[chunk], len(examples.class_names), placed.first_row + chunk.start)
        return counted, content_hashes(images[chunk])

    hashed: list[Hashes] = []

    def parts() -> Iterator[Counts]:
        for counted, chunk_hashes in map_in_order(count_chunk, chunks, THREADS):
            hashed.append(chunk_hashes)
            yield counted

    # Added one by one: the sums of many classes of large images take much memory.
    total = add_counts(parts())
    # Labels that are not whole numbers become some integer here; `count` reports them.
    write_hashes(hashes, placed, np.concatenate(hashed), np.nan_to_num(labels).astype(np.int64), count_of_ranges)
    return CountedBlock(placed, total)


def count(images: Images, labels: Labels, classes: int, first_row: int = 0) -> Counts:
    """Counts images and labels, including labels outside of the classes; `first_row` is the row of the first image.

    Images are (n, h, w, c), uint8, 0 to 255; pixels of other types are not counted. Labels are (n,), any numbers.
    """
    integral = labels if labels.dtype.kind in "iu" else labels[np.isfinite(labels) & (labels == np.floor(labels))]
    seen, counts = np.unique(integral, return_counts=True)
    statistics = SplitStatistics(
        rows=len(images),
        image_types=frozenset([f"{images.dtype} {images.shape[1:]}"]),
        label_types=frozenset([str(labels.dtype)]),
        label_counts={int(label): rows for label, rows in zip(seen.tolist(), counts.tolist(), strict=True)},
        invalid={**find_invalid_images(images, first_row), **find_invalid_labels(labels, classes, first_row)},
        pixel_counts=_pixel_counts(images),
    )
    return Counts(statistics, _class_sums(images, labels, classes))


def add_counts(parts: Iterable[Counts]) -> Counts:
    """Adds counts. They are integers: every grouping and order gives the same result."""
    return reduce(_add, parts)


def _add(one: Counts, other: Counts) -> Counts:
    return Counts(one.statistics + other.statistics, one.class_sums + other.class_sums)


def _pixel_counts(images: Images) -> tuple[tuple[int, ...], ...]:
    """The pixels of each value, by channel. Pillow takes a third of numpy's time, and releases the GIL."""
    from PIL import Image

    channels: int = images.shape[-1]
    if images.dtype != np.uint8 or not images.size:
        return ((0,) * 256,) * channels
    planes = (np.ascontiguousarray(images[..., channel]) for channel in range(channels))
    flat = [pixels.reshape(len(images), -1) for pixels in planes]
    counts = [Image.frombuffer("L", pixels.shape[::-1], pixels, "raw", "L", 0, 1).histogram() for pixels in flat]
    return tuple(map(tuple, counts))


def _class_sums(images: Images, labels: Labels, classes: int) -> npt.NDArray[np.int64]:
    """int64 (classes, h, w, c): the sum of each class's images; zeros for other types than uint8 and integers."""
    sums = np.zeros((classes, *images.shape[1:]), np.int64)
    if images.dtype != np.uint8 or labels.dtype.kind not in "iu":
        return sums
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(classes + 1))
    for label in np.flatnonzero(np.diff(edges)):
        members = images[order[edges[label] : edges[label + 1]]]
        for start in range(0, len(members), SUM_ROWS):
            sums[label] += np.add.reduce(members[start : start + SUM_ROWS], axis=0, dtype=np.uint16)
    return sums
