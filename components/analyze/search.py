"""Examples -> Found: every block counted and every duplicate found, in this process or on Beam's workers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.analyze.counting import Counts, add_counts, count_block
from components.analyze.duplicate_search import PlacedBlock, find_duplicates, range_numbers
from components.artifacts.duplicates import Duplicates
from components.artifacts.examples import Examples
from components.beam import BeamOptions

if TYPE_CHECKING:
    import apache_beam


class Found(NamedTuple):
    """What is found in all blocks: the counts of each split, and the duplicates of each range of hashes."""

    splits: dict[str, Counts]
    duplicates: list[Duplicates]


def find_all(examples: Examples, hashes: Path, beam: BeamOptions) -> Found:
    """Counts every block and compares the hashes of all images, which are written to a folder meanwhile."""
    find = _find_on_workers if beam.arguments else _find_here
    return find(examples, place_blocks(examples), hashes, beam)


def _find_here(examples: Examples, blocks: list[PlacedBlock], hashes: Path, beam: BeamOptions) -> Found:
    """In this process, where a Beam job would take a quarter of a second more. One block is in memory at a time."""
    ranges = _ranges(blocks)
    splits: dict[str, Counts] = {}
    for placed in blocks:
        counted = count_block(placed, examples, hashes, len(ranges)).counts
        split = placed.block.split
        splits[split] = add_counts([splits[split], counted]) if split in splits else counted
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
            | "by split" >> apache_beam.Map(lambda block: (block.placed.block.split, block.counts))
            | "add up" >> apache_beam.CombinePerKey(add_counts),
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
