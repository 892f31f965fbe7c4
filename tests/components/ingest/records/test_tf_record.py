"""tf_record: what TensorFlow writes is read, and each changed byte is found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.records.tf_record import DamagedRecordsError, find_offsets, read_records


def write_with_tensorflow(file, records):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)
    return str(file)


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_records_of_tensorflow_are_read_from_any_of_them_on(tmp_path_factory, records, data):
    file = write_with_tensorflow(tmp_path_factory.mktemp("records") / "a.tfrecord", records)
    assert list(read_records(file)) == records
    offsets = list(find_offsets(file))
    assert len(offsets) == len(records)
    for index, offset in enumerate(offsets):
        most = data.draw(st.integers(0, 7))
        assert list(read_records(file, offset, most)) == records[index : index + most]


def test_each_changed_byte_and_each_cut_is_found(tmp_path):
    file = tmp_path / "a.tfrecord"
    write_with_tensorflow(file, [b"one", b"second"])
    whole = file.read_bytes()
    for index in range(len(whole)):
        file.write_bytes(whole[:index] + bytes([whole[index] ^ 64]) + whole[index + 1 :])
        position = 0 if index < 19 else 19
        with pytest.raises(DamagedRecordsError, match=re.escape(f"corrupted record at {position}")):
            list(read_records(str(file)))
    for end in set(range(1, len(whole))) - {19}:
        file.write_bytes(whole[:end])
        with pytest.raises(DamagedRecordsError, match="truncated record at"):
            list(read_records(str(file)))
