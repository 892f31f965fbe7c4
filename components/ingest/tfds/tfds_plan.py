"""A prepared set of TensorFlow Datasets -> ReadPlan: which records each block is read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.folders.picture_pool import SMALL_BYTES, start_processes
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.slicing import select_rows
from components.ingest.tfds.array_records import plan_array_records
from components.ingest.tfds.builders import full_name
from components.ingest.tfds.record_block_reader import RecordBlockReader
from components.ingest.tfds.record_encoding import encoding_of
from components.ingest.tfds.record_files import RecordIndex

if TYPE_CHECKING:
    import tensorflow_datasets as tfds


def plan_builder(builder: tfds.core.DatasetBuilder, options: ReadOptions, scratch: Path) -> ReadPlan:
    """Plans the blocks of a set. Rows are in the order of the records, shard after shard.

    Raises: InputError: as `Source.plan`.
    """
    encoding = encoding_of(builder, options.resize, options.colour)
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    if builder.info.file_format.value == "array_record":
        return plan_array_records(builder, encoding, options, scratch)
    selected = select_rows(options, counts, builder.name)
    rows = options.rows_per_block(encoding.image_shape)
    records = RecordIndex(builder)
    small = builder.info.dataset_size <= SMALL_BYTES * sum(counts.values())
    readers = [
        RecordBlockReader(split, index, records.runs(block, encoding.rows_per_call), encoding, small)
        for split, index, block in selected.blocks(rows)
    ]
    if small:
        start_processes(sum(run.records for reader in readers for run in reader.runs))
    return ReadPlan(
        dataset=full_name(builder),
        version=str(builder.version),
        class_names=tuple(builder.info.features[encoding.label_key].names),
        image_shape=encoding.image_shape,
        readers=tuple(readers),
        validation_blocks=selected.validation_blocks(rows),
    )
