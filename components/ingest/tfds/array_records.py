"""A prepared set of ArrayRecord files -> the plan to read it: its pictures are read as those of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.tables.record_table import RecordTable
from components.ingest.tables.table_plans import plan_pictures_in_files
from components.ingest.tables.unpacked_tables import unpack_pictures
from components.ingest.tfds.builders import full_name
from components.ingest.tfds.record_encoding import RecordEncoding
from serving.batch.tables.columns import TableColumns

if TYPE_CHECKING:
    import tensorflow_datasets as tfds


def plan_array_records(
    builder: tfds.core.DatasetBuilder, encoding: RecordEncoding, options: ReadOptions, scratch: Path
) -> ReadPlan:
    """Reads all records once. Raises: InputError: as `Source.plan`."""
    tables = {
        name: [RecordTable(path=Path(file), columns=(), class_names={}) for file in split.filepaths]
        for name, split in builder.info.splits.items()
    }
    columns = TableColumns(encoding.label_key, (), encoding.image_key, None, ())
    splits, classes = unpack_pictures(Path(builder.data_dir), tables, columns, scratch)
    names = tuple(builder.info.features[encoding.label_key].names)
    return plan_pictures_in_files(
        full_name(builder),
        str(builder.version),
        Path(builder.data_dir),
        splits,
        classes._replace(class_names=names),
        options,
        encoding.image_shape,
    )
