"""record_files: a file with too few records is refused."""

from __future__ import annotations

import pytest

from components.ingest.ingest import decode_block
from components.ingest.tfds.record_block_reader import RecordBlockReader
from components.ingest.tfds.record_encoding import RecordEncoding
from components.ingest.tfds.record_files import RecordRun, find_offsets
from serving.errors import InputError


def test_file_with_too_few_records_is_refused(made, tmp_path):
    shard = str(next(made.data_dir.glob("tiny/1.0.0/*train.tfrecord*")))
    with pytest.raises(InputError, match=r"\(600 records instead of 601\)"):
        find_offsets(shard, 601)
    last = find_offsets(shard, 600)[590:]
    reader = RecordBlockReader(
        "train", 0, (RecordRun(shard, 590, int(last[0]), 20),), RecordEncoding("image", "label", (8, 8, 1), None)
    )
    with pytest.raises(InputError, match=r"\(10 records instead of 20\): delete the set's folder and prepare it again"):
        decode_block(reader, tmp_path)
