"""ReadPlan -> Examples: decodes every row of a planned set once, by blocks, on the workers of one Beam job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from components.artifacts.artifact import UNDIGESTED
from components.artifacts.block_files import write_block, write_names
from components.artifacts.examples import SKIPPED, SPLITS, Block, Examples
from components.beam import BeamOptions
from components.ingest.bad_rows import BadRow, as_csv, count_kinds, refusal
from components.ingest.folders.picture_pool import map_blocks
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import BlockReader, Images, Labels, ReadPlan
from components.run_context import RunContext
from serving.batch.decoding.background import format_colour
from serving.batch.inputs.open_file import shown
from serving.files import replace_text, write_json
from serving.resize import METHOD


def write_examples(
    plan: ReadPlan, beam: BeamOptions, out: Path, options: ReadOptions | None = None, context: RunContext | None = None
) -> Examples:
    """Decodes every block of a set that was planned with these options. Raises: InputError: as `run`."""
    options, context = options or ReadOptions(), context or RunContext()
    decoded = map_blocks(partial(decode_block, out=out.absolute()), plan.readers, beam, out, context.meanwhile)
    blocks = sorted((one.block for one in decoded), key=lambda block: block.index)
    kept = {split: tuple(b for b in blocks if b.split == split and b.rows) for split in SPLITS}
    bad = sorted(row for one in decoded for row in one.bad)
    validation_rows = _validation_rows(plan, kept["train"])
    # Validation rows are the last of the training split, and not trained on.
    rows = {split: sum(block.rows for block in kept[split]) for split in SPLITS}
    empty = [split for split, others in zip(SPLITS, (validation_rows, 0), strict=True) if rows[split] <= others]
    if len(bad) > options.skip_bad or empty:
        place = f"--dataset {plan.dataset}" if context.source is None else shown(context.source)
        _write_list(context.refused, bad)
        raise refusal(place, bad, len(bad) + sum(block.rows for block in blocks), empty, context.refused)
    _write_list(out / SKIPPED, bad)
    if plan.left_out:
        write_json(out / UNDIGESTED, dict(plan.left_out))
    return Examples(
        path=out,
        dataset=plan.dataset,
        version=plan.version,
        class_names=plan.class_names,
        image_shape=plan.image_shape,
        blocks=kept,
        resize=None if options.resize is None else METHOD,
        background=None if options.colour is None else format_colour(options.colour),
        skipped=count_kinds(bad),
        validation_rows=validation_rows,
    ).save()


def _validation_rows(plan: ReadPlan, blocks: Sequence[Block]) -> int:
    """The number of rows in the last blocks of the training split, which hold the set's own validation rows."""
    first = sum(reader.split == SPLITS[0] for reader in plan.readers) - plan.validation_blocks
    return sum(block.rows for block in blocks if block.index >= first)


def _write_list(file: Path | None, bad: Sequence[BadRow]) -> None:
    """Lists bad rows, if there are any."""
    if bad and file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, as_csv(bad))


class DecodedBlock(NamedTuple):
    """A block of the rows that can be used, and the other rows; a block without rows has no files."""

    block: Block
    bad: tuple[BadRow, ...]


def decode_block(reader: BlockReader, out: Path) -> DecodedBlock:
    """Decodes the rows of one block and writes them. A repeated call writes the same bytes to the same files."""
    bad: list[BadRow] = []

    def usable() -> Iterator[tuple[Images, Labels]]:
        for images, labels, others in reader.read_parts():
            bad.extend(others)
            yield images, labels

    block = write_block(out, reader.split, reader.index, usable())
    unusable = {row.row for row in bad}
    if not block.rows:
        (out / block.images_file).unlink()
        (out / block.labels_file).unlink()
    elif reader.files:
        write_names(out, block, [file for row, file in enumerate(reader.files) if row not in unusable])
    return DecodedBlock(block, tuple(bad))
