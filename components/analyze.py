"""Examples -> Statistics: exact counts over all pixels and labels, and all duplicates, in one Beam job."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.duplicates import Duplicates
from components.artifacts.examples import Examples
from components.artifacts.odd import add
from components.artifacts.statistics import SplitStatistics, Statistics
from components.beam import BeamOptions
from components.content_hash import Hashes, content_hashes
from components.duplicates import Placed, find_duplicates, ranges, write_hashes
from components.duplicates import total as total_duplicates
from components.oddities import Images, Labels, odd_images, odd_labels
from serving.parallel import in_order

# Images that are looked at together, so that they stay in the processor's cache.
CHUNK_ROWS = 2048
# So many times 255 is the greatest uint16: sums of no more are exact, and take half the time of wider ones.
SUM_ROWS = 257
THREADS = 2


def run(examples: Examples, beam: BeamOptions, out: Path) -> Statistics:
    """Counts every block, adds the counts up per split, and holds the hashes of all images against each other.

    The hashes go through files, not through Beam, which keeps what it groups in memory at several times its size.
    """
    import apache_beam
    from apache_beam.pvalue import AsDict, AsIter

    examples = replace(examples, path=examples.path.absolute())
    blocks = place_blocks(examples)
    hashes = out.absolute() / "hashes"
    hashes.mkdir()
    parts = ranges(sum(placed.block.rows for placed in blocks))

    def build(pipeline: apache_beam.Pipeline) -> None:
        counted = (
            pipeline
            | "blocks" >> apache_beam.Create(blocks, reshuffle=len(blocks) > 1)
            | "count" >> apache_beam.Map(count_block, examples=examples, hashes=hashes, count_of_ranges=len(parts))
            | "add up" >> apache_beam.CombinePerKey(total)
        )
        duplicates = (
            pipeline
            | "ranges" >> apache_beam.Create(parts, reshuffle=len(parts) > 1)
            | "find duplicates"
            >> apache_beam.Map(_find_after, AsIter(counted), count=len(parts), folder=hashes, blocks=blocks)
        )
        (
            pipeline
            | "class names" >> apache_beam.Create([examples.class_names], reshuffle=False)
            | "save" >> apache_beam.Map(_save, AsDict(counted), AsIter(duplicates), out=out.absolute())
        )

    beam.run(build)
    shutil.rmtree(hashes)
    return Statistics.load(out)


def place_blocks(examples: Examples) -> list[Placed]:
    """Every block with the row that it begins at."""
    placed = []
    for blocks in examples.blocks.values():
        first = 0
        for block in blocks:
            placed.append(Placed(block, first))
            first += block.rows
    return placed


def count_block(placed: Placed, examples: Examples, hashes: Path, count_of_ranges: int) -> tuple[str, SplitStatistics]:
    """The statistics of one block, under its split's name; its hashes are written."""
    images, labels = examples.images(placed.block), examples.labels(placed.block)
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(images), CHUNK_ROWS)]

    def look(chunk: slice) -> tuple[SplitStatistics, Hashes]:
        counted = count(images[chunk], labels[chunk], len(examples.class_names), placed.first_row + chunk.start)
        return counted, content_hashes(images[chunk])

    hashed: list[Hashes] = []

    def counts() -> Iterator[SplitStatistics]:
        for counted, some in in_order(look, chunks, THREADS):
            hashed.append(some)
            yield counted

    # Added up as they come: the sums of many classes of large images are no small things.
    whole = total(counts())
    write_hashes(hashes, placed, np.concatenate(hashed), np.nan_to_num(labels).astype(np.int64), count_of_ranges)
    return placed.block.split, whole


def count(images: Images, labels: Labels, classes: int, first_row: int = 0) -> SplitStatistics:
    """Counts images and labels; a label that belongs to no class is counted too.

    Args:
        images: (n, h, w, c), mostly uint8, 0 to 255; pixels of others are not counted.
        labels: (n,), mostly int64.
        classes: number of classes.
        first_row: the row of the first image in its split.
    """
    whole = labels if labels.dtype.kind in "iu" else labels[np.isfinite(labels) & (labels == np.floor(labels))]
    seen, counts = np.unique(whole, return_counts=True)
    return SplitStatistics(
        rows=len(images),
        image_types=frozenset([f"{images.dtype} {images.shape[1:]}"]),
        label_types=frozenset([str(labels.dtype)]),
        label_counts={int(label): rows for label, rows in zip(seen.tolist(), counts.tolist(), strict=True)},
        odd={**odd_images(images, first_row), **odd_labels(labels, classes, first_row)},
        pixel_counts=_pixel_counts(images),
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
        odd=add(one.odd, other.odd),
        pixel_counts=one.pixel_counts + other.pixel_counts,
        class_sums=one.class_sums + other.class_sums,
    )


def _pixel_counts(images: Images) -> npt.NDArray[np.int64]:
    """int64 (channels, 256). Pillow counts in a third of numpy's time, and lets other threads work meanwhile."""
    from PIL import Image

    counts = np.zeros((images.shape[-1], 256), np.int64)
    if images.dtype == np.uint8 and images.size:
        for channel in range(len(counts)):
            pixels = np.ascontiguousarray(images[..., channel]).reshape(len(images), -1)
            counts[channel] = Image.frombuffer("L", pixels.shape[::-1], pixels, "raw", "L", 0, 1).histogram()
    return counts


def _class_sums(images: Images, labels: Labels, classes: int) -> npt.NDArray[np.int64]:
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


def _find_after(number: int, counted: object, count: int, folder: Path, blocks: Sequence[Placed]) -> Duplicates:
    """As `find_duplicates`, once everything is counted and so every hash is written."""
    del counted
    return find_duplicates(number, count, folder, blocks)


def _save(
    class_names: tuple[str, ...], splits: Mapping[str, SplitStatistics], duplicates: Iterable[Duplicates], out: Path
) -> None:
    Statistics(
        path=out, class_names=class_names, splits=dict(sorted(splits.items())), duplicates=total_duplicates(duplicates)
    ).save()
