"""Data set -> Examples: decodes every image once, in one Beam job, into the blocks that all other steps read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.artifacts.artifact import UNDIGESTED
from components.artifacts.examples import SPLITS, Block, Examples, write_block
from components.beam import BeamOptions
from components.ingest.arrays.array_source import ArraySource
from components.ingest.folders.folder_source import FolderSource
from components.ingest.folders.picture_pool import stop_processes
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import BlockReader, ReadPlan
from components.ingest.source import Source
from components.ingest.tables.table_source import TableSource
from components.ingest.tfds.tfds_source import TfdsSource
from components.run_context import RunContext
from serving.files import write_json
from serving.resize import METHOD


@dataclass(frozen=True)
class Params(ReadOptions):
    """A data set, which of its rows are read, and how.

    Attributes:
        dataset: as TensorFlow Datasets names it, e.g. `mnist`; or `folder:NAME`, `arrays:NAME` or `table:NAME`.
    """

    dataset: str = "mnist"


def source_of(params: Params, context: RunContext) -> Source:
    """The data set."""
    if context.source is None:
        return TfdsSource(params.dataset, context.data_dir, context.manual_dir, context.digest_cache)
    kind = params.dataset.partition(":")[0]
    if kind == "table":
        return TableSource(context.source, context.digest_cache, params.label_column, params.image_column)
    if kind == "folder":
        return FolderSource(context.source, context.digest_cache, params.class_pattern)
    return ArraySource(context.source, context.digest_cache)


def fingerprint(params: Params, context: RunContext) -> Mapping[str, str] | None:
    """What identifies the data outside the store; None while they are not prepared."""
    try:
        return source_of(params, context).fingerprint()
    finally:
        stop_processes()


def prepare(params: Params, context: RunContext) -> None:
    """Prepares the data for `fingerprint` and `run`."""
    source_of(params, context).prepare()


def run(params: Params, context: RunContext, beam: BeamOptions, out: Path) -> Examples:
    """Decodes both splits into blocks.

    Raises:
        InputError: no such set or split, or images that cannot be read.
    """
    scratch = out.absolute() / "unpacked"
    scratch.mkdir()
    resize = None if params.resize is None else METHOD
    try:
        examples = write_examples(source_of(params, context).plan(params, scratch), beam, out, resize)
    finally:
        stop_processes()
    shutil.rmtree(scratch)
    return examples


def write_examples(plan: ReadPlan, beam: BeamOptions, out: Path, resize: str | None = None) -> Examples:
    """Decodes every block of a set; `resize` is how its readers resize images."""
    found = beam.map(partial(decode_block, out=out.absolute()), plan.readers, out)
    blocks = sorted(found, key=lambda block: block.index)
    splits = {split: tuple(block for block in blocks if block.split == split) for split in SPLITS}
    if plan.left_out:
        write_json(out / UNDIGESTED, dict(plan.left_out))
    return Examples(
        path=out,
        dataset=plan.dataset,
        version=plan.version,
        class_names=plan.class_names,
        image_shape=plan.image_shape,
        blocks=splits,
        resize=resize,
        validation_rows=sum(block.rows for block in splits["train"][len(splits["train"]) - plan.validation_blocks :]),
    ).save()


def decode_block(reader: BlockReader, out: Path) -> Block:
    """Decodes the rows of one block and writes them. A repeated call writes the same bytes to the same files."""
    return write_block(out, reader.split, reader.index, reader.read_parts(), reader.files)
