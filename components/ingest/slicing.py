"""Split specifications in TFDS's slicing syntax -> training and test rows that never overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.artifacts.examples import SPLITS
from components.ingest.read_options import ReadOptions
from serving.errors import InputError

# The default training and test rows of a set with one split.
DEFAULT_CUT = ("{}[:80%]", "{}[80%:]")


class RowRange(NamedTuple):
    """Consecutive rows of one of the set's own splits, from `start` to before `stop`."""

    source_split: str
    start: int
    stop: int


def select_rows(options: ReadOptions, rows: Mapping[str, int], dataset: str) -> dict[str, list[RowRange]]:
    """Selects the ranges of `train` and of `test`, in order, from the set's own splits.

    Args:
        options: the splits that the user gave.
        rows: the number of rows of each of the set's own splits.
        dataset: the set's name, for messages.

    Raises:
        InputError: no such split, a slice without rows, or rows in both splits.
    """
    specs = _specs(options, rows, dataset)
    whole = {split: [RowRange(spec, 0, rows[spec])] for split, spec in specs.items() if rows.get(spec)}
    selected = {
        split: whole.get(split) or _default_cut(split, spec, rows) or _ranges(split, spec, rows, dataset)
        for split, spec in specs.items()
    }
    for test in selected["test"]:
        for train in selected["train"]:
            if test.source_split == train.source_split and test.start < train.stop and train.start < test.stop:
                raise InputError(
                    f"--ingest.test-split {specs['test']} and --ingest.train-split {specs['train']} share rows: "
                    "give slices that do not overlap"
                )
    return selected


def _specs(options: ReadOptions, rows: Mapping[str, int], dataset: str) -> dict[str, str]:
    given = dict(zip(SPLITS, (options.train_split, options.test_split), strict=True))
    if len(rows) == 1 and given == dict.fromkeys(SPLITS):
        return {split: cut.format(*rows) for split, cut in zip(SPLITS, DEFAULT_CUT, strict=True)}
    for split, spec in given.items():
        if spec is None and split not in rows:
            raise InputError(
                f"{dataset} has no split {split}, but {', '.join(rows)}: give one of these, or a slice of one such as "
                f"'train[80%:]', with --ingest.{split}-split"
            )
    return {split: spec or split for split, spec in given.items()}


def _default_cut(split: str, spec: str, rows: Mapping[str, int]) -> list[RowRange] | None:
    """The rows of the default cut, as TFDS rounds them, without its import of half a second; None for other slices."""
    (name, count), *others = rows.items()
    cut = round(80 * count / 100)
    if others or spec != DEFAULT_CUT[SPLITS.index(split)].format(name) or not 0 < cut < count:
        return None
    return [RowRange(name, 0, cut) if split == SPLITS[0] else RowRange(name, cut, count)]


def _ranges(split: str, spec: str, rows: Mapping[str, int], dataset: str) -> list[RowRange]:
    from tensorflow_datasets.core.splits import AbstractSplit, SplitInfo

    # TFDS counts rows by shard; for this purpose, each split is one shard.
    infos = {name: SplitInfo(name=name, shard_lengths=[count], num_bytes=0) for name, count in rows.items()}
    try:
        # Slices by shard have no meaning for sets that have none.
        if "shard" in spec:
            raise ValueError
        instructions = AbstractSplit.from_spec(spec).to_absolute(infos)
    except (ValueError, AssertionError) as error:
        raise InputError(
            f"--ingest.{split}-split {spec}: {dataset} has the splits {', '.join(rows)}: "
            "give one of these, or a slice of one in TFDS's syntax, e.g. 'train[:80%]'"
        ) from error
    ranges = [
        RowRange(one.splitname, one.from_ or 0, rows[one.splitname] if one.to is None else one.to)
        for one in instructions
    ]
    ranges = [selected for selected in ranges if selected.start < selected.stop]
    if not ranges:
        raise InputError(f"--ingest.{split}-split {spec} of {dataset} has no rows: give a slice that has some")
    return ranges


def cut_blocks(ranges: Sequence[RowRange], block_rows: int) -> list[tuple[RowRange, ...]]:
    """Cuts ranges, none of them empty, into blocks of `block_rows` rows, in order; the last block may be smaller."""
    blocks: list[tuple[RowRange, ...]] = []
    block: list[RowRange] = []
    room = block_rows
    for source_split, start, stop in ranges:
        while start < stop:
            end = min(stop, start + room)
            block.append(RowRange(source_split, start, end))
            room -= end - start
            start = end
            if room == 0:
                blocks.append(tuple(block))
                block, room = [], block_rows
    return [*blocks, tuple(block)] if block else blocks
