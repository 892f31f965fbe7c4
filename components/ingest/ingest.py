"""Data set -> Examples: decodes every image once, in one Beam job, into the blocks that all other steps read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.examples import Examples
from components.beam import BeamOptions
from components.ingest.folders.picture_pool import stop_processes
from components.ingest.read_options import ReadOptions
from components.ingest.source import Source
from components.run_context import RunContext


@dataclass(frozen=True)
class Params(ReadOptions):
    """A data set, which of its rows are read, and how.

    Attributes:
        dataset: as TensorFlow Datasets names it, e.g. `mnist`; or `folder:NAME`, `arrays:NAME` or `table:NAME`.
    """

    dataset: str = "mnist"


def source_of(params: Params, context: RunContext) -> Source:
    """The data set."""
    # Imported here, as all that works on data: a command needs one kind of source, or none.
    if context.source is None:
        from components.ingest.tfds.tfds_source import TfdsSource

        return TfdsSource(params.dataset, context.data_dir, context.manual_dir, context.digest_cache)
    kind = params.dataset.partition(":")[0]
    if kind == "table":
        from components.ingest.tables.table_source import TableSource

        return TableSource(context.source, context.digest_cache, params.label_column, params.image_column)
    if kind == "folder":
        from components.ingest.folders.folder_source import FolderSource

        return FolderSource(context.source, context.digest_cache, params.class_pattern)
    from components.ingest.arrays.array_source import ArraySource

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
        InputError: no such set or split, or more images cannot be used than `skip_bad`; all of them are listed in the
            context's file of refused rows.
    """
    from components.ingest.decode import write_examples

    scratch = out.absolute() / "unpacked"
    scratch.mkdir()
    try:
        examples = write_examples(source_of(params, context).plan(params, scratch), beam, out, params, context)
    finally:
        stop_processes()
    shutil.rmtree(scratch)
    return examples
