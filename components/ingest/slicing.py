"""Split specifications in TFDS's slicing syntax -> training and test rows that never overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from components.artifacts.examples import SPLITS
from components.ingest.read_options import ReadOptions
from components.ingest.split_names import SPLITS as SPLITS_BY_NAME
from components.ingest.split_names import VALIDATION
from serving.errors import InputError

# The default training and test rows of a set with one split.
DEFAULT_CUT = ("{}[:80%]", "{}[80%:]")
# The value of --ingest.validation-split that turns a set's own validation rows off.
NO_ROWS = "none"


class RowRange(NamedTuple):
    """Consecutive rows of one of the set's own splits, from `start` to before `stop`."""

    source_split: str
    start: int
    stop: int


@dataclass(frozen=True)
class SelectedRows:
    """The rows that are read, as ranges of the set's own splits, in order; no row is in two of the lists.

    Attributes:
        train: the training rows, without the validation rows; one or more.
        validation: the rows that each epoch is scored with; none if training chooses them from its own.
        test: the test rows; one or more.
    """

    train: tuple[RowRange, ...]
    validation: tuple[RowRange, ...]
    test: tuple[RowRange, ...]

    @property
    def learning(self) -> tuple[RowRange, ...]:
        """The ranges of the split `train`: training rows, then validation rows."""
        return self.train + self.validation

    @property
    def ranges(self) -> tuple[RowRange, ...]:
        """All ranges."""
        return self.learning + self.test

    def blocks(self, rows: int) -> list[tuple[str, int, tuple[RowRange, ...]]]:
        """The blocks of `rows` rows at most: the split, the index in the split, and the ranges.

        The last `validation_blocks` blocks of the split `train` hold the validation rows.
        """
        learning = cut_blocks(self.train, rows) + cut_blocks(self.validation, rows)
        splits = zip(SPLITS, (learning, cut_blocks(self.test, rows)), strict=True)
        return [(split, index, block) for split, blocks in splits for index, block in enumerate(blocks)]

    def validation_blocks(self, rows: int) -> int:
        """The number of blocks that hold validation rows."""
        return len(cut_blocks(self.validation, rows))


def select_rows(options: ReadOptions, rows: Mapping[str, int], dataset: str) -> SelectedRows:
    """Selects the training, validation and test rows from the set's own splits.

    Args:
        options: the splits that the user gave.
        rows: the number of rows of each of the set's own splits.
        dataset: the set's name, for messages.

    Raises:
        InputError: no such split, a slice without rows, or rows in two splits.
    """
    specs = _specs(options, rows, dataset)
    selected = {split: _rows_of(split, spec, rows, dataset) for split, spec in specs.items()}
    _require_apart(specs, selected)
    own = next((split for split in rows if SPLITS_BY_NAME.get(split.lower()) == VALIDATION and rows[split]), None)
    if options.validation_split not in (None, NO_ROWS):
        selected[VALIDATION] = _rows_of(VALIDATION, options.validation_split, rows, dataset)
        _require_apart({**specs, VALIDATION: options.validation_split}, selected)
    elif options.validation_split is None and own is not None:
        # A set's own validation rows are used, unless the user has named some of them as training or test rows.
        whole = RowRange(own, 0, rows[own])
        if not any(_share_rows(whole, used) for ranges in selected.values() for used in ranges):
            selected[VALIDATION] = [whole]
    return SelectedRows(tuple(selected["train"]), tuple(selected.get(VALIDATION, ())), tuple(selected["test"]))


def _rows_of(split: str, spec: str, rows: Mapping[str, int], dataset: str) -> list[RowRange]:
    """The ranges of one split."""
    if rows.get(spec):
        return [RowRange(spec, 0, rows[spec])]
    return _default_cut(split, spec, rows) or _ranges(split, spec, rows, dataset)


def _require_apart(specs: Mapping[str, str], selected: Mapping[str, Sequence[RowRange]]) -> None:
    """Refuses rows in two splits. Raises: InputError."""
    for split, other in combinations([*selected][::-1], 2):
        if any(_share_rows(one, two) for one in selected[split] for two in selected[other]):
            raise InputError(
                f"--ingest.{split}-split {specs[split]} and --ingest.{other}-split {specs[other]} share rows: "
                "give slices that do not overlap"
            )


def _share_rows(one: RowRange, other: RowRange) -> bool:
    return one.source_split == other.source_split and one.start < other.stop and other.start < one.stop


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
