"""Examples -> Statistics: exact counts over all pixels and labels, and all duplicates."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.analyze.duplicate_search import (
    Hashes,
    PlacedBlock,
    add_duplicates,
    content_hashes,
    find_duplicates,
    range_numbers,
    write_hashes,
)
from components.analyze.invalid_images import Images, Labels, find_invalid_images, find_invalid_labels
from components.artifacts.duplicates import Duplicates
from components.artifacts.examples import Examples
from components.artifacts.statistics import SplitStatistics, Statistics, add_invalid_rows
from components.beam import BeamOptions
from serving.parallel import map_in_order

if TYPE_CHECKING:
    import apache_beam

# Images that are counted together: few enough to stay in the processor's cache.
CHUNK_ROWS = 2048
# 257 times 255 is the largest uint16: sums of at most 257 pixels are exact in it, and twice as fast as wider ones.
SUM_ROWS = 257
THREADS = 2


class CountedBlock(NamedTuple):
    """A counted block; the hashes of its images are in a file.

    Attributes:
        placed: the block and its first row.
        statistics: the statistics of the block alone.
    """

    placed: PlacedBlock
    statistics: SplitStatistics


class Found(NamedTuple):
    """What is found in all blocks: the statistics of each split, and the duplicates of each range of hashes."""

    splits: dict[str, SplitStatistics]
    duplicates: list[Duplicates]


def run(examples: Examples, beam: BeamOptions, out: Path) -> Statistics:
    """Counts every block, adds the counts per split, and compares the hashes of all images.

    The hashes travel through files: Beam would group them in memory, at several times their size. Their values are
    divided into ranges of equal width, and each range is searched for duplicates alone.
    """
    examples = replace(examples, path=examples.path.absolute())
    hashes = out.absolute() / "hashes"
    hashes.mkdir()
    find = _find_on_workers if beam.arguments else _find_here
    found = find(examples, place_blocks(examples), hashes, beam)
    shutil.rmtree(hashes)
    return Statistics(
        path=out,
        class_names=examples.class_names,
        splits=dict(sorted(found.splits.items())),
        duplicates=add_duplicates(found.duplicates),
    ).save()


def _find_here(examples: Examples, blocks: list[PlacedBlock], hashes: Path, beam: BeamOptions) -> Found:
    """In this process, where a Beam job would take a quarter of a second more. One block is in memory at a time."""
    ranges = _ranges(blocks)
    splits: dict[str, SplitStatistics] = {}
    for placed in blocks:
        counted = count_block(placed, examples, hashes, len(ranges)).statistics
        split = placed.block.split
        splits[split] = add_statistics([splits[split], counted]) if split in splits else counted
    return Found(splits, [find_duplicates(number, len(ranges), hashes, blocks) for number in ranges])


def _find_on_workers(examples: Examples, blocks: list[PlacedBlock], hashes: Path, beam: BeamOptions) -> Found:
    """In one Beam job."""
    import apache_beam
    from apache_beam.pvalue import AsList

    ranges = _ranges(blocks)

    def build(pipeline: apache_beam.Pipeline) -> dict[str, apache_beam.PCollection[Any]]:
        counted = (
            pipeline
            | "blocks" >> apache_beam.Create(blocks, reshuffle=len(blocks) > 1)
            | "count" >> apache_beam.Map(count_block, examples=examples, hashes=hashes, count_of_ranges=len(ranges))
        )
        hashed = counted | "hashed blocks" >> apache_beam.Map(lambda block: block.placed)
        numbers = pipeline | "ranges" >> apache_beam.Create(ranges, reshuffle=len(ranges) > 1)
        return {
            "splits": counted
            | "by split" >> apache_beam.Map(lambda block: (block.placed.block.split, block.statistics))
            | "add up" >> apache_beam.CombinePerKey(add_statistics),
            "duplicates": numbers
            | "find duplicates"
            >> apache_beam.Map(find_duplicates, count=len(ranges), folder=hashes, blocks=AsList(hashed)),
        }

    results, _ = beam.collect(build, hashes)
    return Found(dict(results["splits"]), results["duplicates"])


def _ranges(blocks: list[PlacedBlock]) -> range:
    return range_numbers(sum(placed.block.rows for placed in blocks))


def place_blocks(examples: Examples) -> list[PlacedBlock]:
    """All blocks with their first rows."""
    return [PlacedBlock(block, first) for split in examples.blocks for first, block in examples.placed_blocks(split)]


def count_block(placed: PlacedBlock, examples: Examples, hashes: Path, count_of_ranges: int) -> CountedBlock:
    """Counts one block, and writes the hashes of its images to a file in `hashes`."""
    images, labels = examples.images(placed.block), examples.labels(placed.block)
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(images), CHUNK_ROWS)]

    def count_chunk(chunk: slice) -> tuple[SplitStatistics, Hashes]:
        counted = count(images[chunk], labels[chunk], len(examples.class_names), placed.first_row + chunk.start)
        return counted, content_hashes(images[chunk])

    hashed: list[Hashes] = []

    def counts() -> Iterator[SplitStatistics]:
        for counted, chunk_hashes in map_in_order(count_chunk, chunks, THREADS):
            hashed.append(chunk_hashes)
            yield counted

    # Added one by one: the sums of many classes of large images take much memory.
    total = add_statistics(counts())
    # Labels that are not whole numbers become some integer here; `count` reports them.
    write_hashes(hashes, placed, np.concatenate(hashed), np.nan_to_num(labels).astype(np.int64), count_of_ranges)
    return CountedBlock(placed, total)


def count(images: Images, labels: Labels, classes: int, first_row: int = 0) -> SplitStatistics:
    """Counts images and labels, including labels outside of the classes; `first_row` is the row of the first image.

    Images are (n, h, w, c), uint8, 0 to 255; pixels of other types are not counted. Labels are (n,), any numbers.
    """
    integral = labels if labels.dtype.kind in "iu" else labels[np.isfinite(labels) & (labels == np.floor(labels))]
    seen, counts = np.unique(integral, return_counts=True)
    return SplitStatistics(
        rows=len(images),
        image_types=frozenset([f"{images.dtype} {images.shape[1:]}"]),
        label_types=frozenset([str(labels.dtype)]),
        label_counts={int(label): rows for label, rows in zip(seen.tolist(), counts.tolist(), strict=True)},
        invalid={**find_invalid_images(images, first_row), **find_invalid_labels(labels, classes, first_row)},
        pixel_counts=_pixel_counts(images),
        class_sums=_class_sums(images, labels, classes),
    )


def add_statistics(parts: Iterable[SplitStatistics]) -> SplitStatistics:
    """Adds counts. They are integers: every grouping and order gives the same result."""
    return reduce(_add, parts)


def _add(one: SplitStatistics, other: SplitStatistics) -> SplitStatistics:
    labels = one.label_counts.keys() | other.label_counts.keys()
    return SplitStatistics(
        rows=one.rows + other.rows,
        image_types=one.image_types | other.image_types,
        label_types=one.label_types | other.label_types,
        label_counts={label: one.label_counts.get(label, 0) + other.label_counts.get(label, 0) for label in labels},
        invalid=add_invalid_rows(one.invalid, other.invalid),
        pixel_counts=one.pixel_counts + other.pixel_counts,
        class_sums=one.class_sums + other.class_sums,
    )


def _pixel_counts(images: Images) -> npt.NDArray[np.int64]:
    """int64 (channels, 256). Pillow takes a third of numpy's time, and releases the GIL."""
    from PIL import Image

    counts = np.zeros((images.shape[-1], 256), np.int64)
    if images.dtype == np.uint8 and images.size:
        for channel in range(len(counts)):
            pixels = np.ascontiguousarray(images[..., channel]).reshape(len(images), -1)
            counts[channel] = Image.frombuffer("L", pixels.shape[::-1], pixels, "raw", "L", 0, 1).histogram()
    return counts


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
