"""TFDS's slicing syntax + the rows of each split -> which rows are trained on and which are tested, never the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.artifacts.examples import SPLITS
from components.sources.source import Wanted
from serving.errors import InputError

# What a set of one split is cut into, where nobody says.
CUT = ("{}[:80%]", "{}[80%:]")


class Part(NamedTuple):
    """Consecutive rows of one of the set's own splits.

    Attributes:
        source: the split's name in the set.
        start: first row.
        stop: one past the last row.
    """

    source: str
    start: int
    stop: int


def choose_rows(wanted: Wanted, rows: Mapping[str, int], what: str) -> dict[str, list[Part]]:
    """Which rows of which of its splits the set's training and test rows are.

    Args:
        wanted: what the user asked for.
        rows: the number of rows of each of the set's own splits.
        what: the set, for messages.

    Returns:
        The parts of `train` and of `test`, in order.

    Raises:
        InputError: no such split, a slice without rows, or rows that are in both.
    """
    specs = _specs(wanted, rows, what)
    chosen = {split: _parts(split, spec, rows, what) for split, spec in specs.items()}
    for test in chosen["test"]:
        for train in chosen["train"]:
            if test.source == train.source and test.start < train.stop and train.start < test.stop:
                raise InputError(
                    f"--ingest.test-split {specs['test']} and --ingest.train-split {specs['train']} share rows: "
                    "give slices that do not overlap"
                )
    return chosen


def _specs(wanted: Wanted, rows: Mapping[str, int], what: str) -> dict[str, str]:
    given = dict(zip(SPLITS, (wanted.train_split, wanted.test_split), strict=True))
    if len(rows) == 1 and given == dict.fromkeys(SPLITS):
        return {split: cut.format(*rows) for split, cut in zip(SPLITS, CUT, strict=True)}
    for split, spec in given.items():
        if spec is None and split not in rows:
            raise InputError(
                f"{what} has no split {split}, but {', '.join(rows)}: say with --ingest.{split}-split which of these "
                "to take, or which part of one, such as 'train[80%:]'"
            )
    return {split: spec or split for split, spec in given.items()}


def _parts(split: str, spec: str, rows: Mapping[str, int], what: str) -> list[Part]:
    from tensorflow_datasets.core.splits import AbstractSplit, SplitInfo

    # TFDS counts rows by shards: to it, each split is one.
    infos = {name: SplitInfo(name=name, shard_lengths=[count], num_bytes=0) for name, count in rows.items()}
    try:
        # A shard is no unit that means anything for every set.
        if "shard" in spec:
            raise ValueError
        instructions = AbstractSplit.from_spec(spec).to_absolute(infos)
    except (ValueError, AssertionError) as error:
        raise InputError(
            f"--ingest.{split}-split {spec}: {what} has the splits {', '.join(rows)}: "
            "name one of these, with TFDS's slicing if wanted, e.g. 'train[:80%]'"
        ) from error
    parts = [
        Part(one.splitname, one.from_ or 0, rows[one.splitname] if one.to is None else one.to) for one in instructions
    ]
    parts = [part for part in parts if part.start < part.stop]
    if not parts:
        raise InputError(f"--ingest.{split}-split {spec} of {what} has no rows: give a slice that has some")
    return parts


def cut(parts: Sequence[Part], block_rows: int) -> list[tuple[Part, ...]]:
    """Cuts parts into pieces of so many rows, the last one smaller, in order.

    Args:
        parts: none of them empty.
        block_rows: 1 or more.
    """
    pieces: list[tuple[Part, ...]] = []
    piece: list[Part] = []
    room = block_rows
    for source, start, stop in parts:
        while start < stop:
            end = min(stop, start + room)
            piece.append(Part(source, start, end))
            room -= end - start
            start = end
            if room == 0:
                pieces.append(tuple(piece))
                piece, room = [], block_rows
    return [*pieces, tuple(piece)] if piece else pieces
