"""record_files: a file with too few records is refused."""

from __future__ import annotations

import pytest

from components.ingest.decode import decode_block
from components.ingest.tfds.record_block_reader import RecordBlockReader
from components.ingest.tfds.record_encoding import RecordEncoding
from components.ingest.tfds.record_files import RecordRun, positions
from serving.errors import InputError


def test_file_with_too_few_records_is_refused(made, tmp_path):
    shard = str(next(made.data_dir.glob("tiny/1.0.0/*train.tfrecord*")))
    with pytest.raises(InputError, match=r"\(600 records instead of 601\)"):
        positions(shard, 601)
    last = positions(shard, 600)[590:]
    reader = RecordBlockReader(
        "train", 0, (RecordRun(shard, 590, int(last[0]), 20),), RecordEncoding("image", "label", (8, 8, 1), None), True
    )
    with pytest.raises(InputError, match=r"\(10 records instead of 20\): delete the set's folder and prepare it again"):
        decode_block(reader, tmp_path)


@pytest.mark.parametrize("labels", [None, [1, 2], [b"one"]])
def test_record_without_one_label_is_refused(tmp_path, labels):
    import tensorflow as tf

    shard = str(tmp_path / "a.tfrecord")
    example = tf.train.Example()
    example.features.feature["image"].bytes_list.value.append(b"")
    if labels is not None:
        kind = "bytes_list" if isinstance(labels[0], bytes) else "int64_list"
        getattr(example.features.feature["label"], kind).value.extend(labels)
    with tf.io.TFRecordWriter(shard) as writer:
        writer.write(example.SerializeToString())
    reader = RecordBlockReader(
        "train", 0, (RecordRun(shard, 7, 0, 1),), RecordEncoding("image", "label", (8, 8, 1), None), True
    )
    with pytest.raises(InputError, match=r"\(record 7 has no single value of 'label'\): delete the set's folder"):
        decode_block(reader, tmp_path)
