"""Tables with pictures: Parquet of the Hub, tar files, and records of tf.Example."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from components.ingest.ingest import Params, source_of
from components.ingest.tables.table_kinds import open_any_table
from components.ingest.tables.unpacked_tables import unpack_pictures
from components.run_context import RunContext
from serving.batch.images import find_images
from serving.batch.tables.columns import find_columns
from tests.components.ingest.tables.reading import plan, refusal, rows, same_rows
from tests.table_files import NAMES, pictures, png, write_hub_parquet, write_tar

IMAGES, LABELS = pictures(30)
CONTENTS = [png(image) for image in IMAGES]


def all_rows(found):
    parts = [rows(found, split) for split in ("train", "test")]
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def test_parquet_of_the_hub(tmp_path):
    folder = tmp_path / "hub" / "data"
    folder.mkdir(parents=True)
    write_hub_parquet(folder / "train-00000-of-00002.parquet", CONTENTS[:10], LABELS[:10])
    write_hub_parquet(folder / "train-00001-of-00002.parquet", CONTENTS[10:20], LABELS[10:20])
    write_hub_parquet(folder / "test-00000-of-00001.parquet", CONTENTS[20:], LABELS[20:])
    found = plan(tmp_path / "hub")
    assert (found.class_names, found.image_shape) == (NAMES, (6, 5, 1))
    for split, part in (("train", slice(0, 20)), ("test", slice(20, 30))):
        images, labels = rows(found, split)
        np.testing.assert_array_equal(images[..., 0], IMAGES[part])
        np.testing.assert_array_equal(labels, LABELS[part])


def test_only_split_is_mixed_because_rows_may_be_sorted_by_class(tmp_path):
    order = np.argsort(LABELS, kind="stable")
    path = write_hub_parquet(tmp_path / "t.parquet", [CONTENTS[row] for row in order], LABELS[order])
    found = plan(path)
    assert set(rows(found, "train")[1]) == set(rows(found, "test")[1]) == {0, 1, 2}
    assert same_rows(all_rows(found), IMAGES[..., None], LABELS)
    # The same rows each time.
    np.testing.assert_array_equal(rows(plan(path), "test")[0], rows(found, "test")[0])


@pytest.mark.parametrize("block_rows", [1000, 4])
def test_blocks_hold_the_rows_in_order(tmp_path, block_rows):
    path = write_hub_parquet(tmp_path / "t.parquet", CONTENTS, LABELS)
    found = plan(path, block_rows=block_rows)
    whole = rows(plan(path), "train")
    np.testing.assert_array_equal(rows(found, "train")[0], whole[0])
    np.testing.assert_array_equal(rows(found, "train")[1], whole[1])


def test_bytes_without_a_record_around_them(tmp_path):
    table = pyarrow.table({"jpeg": CONTENTS, "label": LABELS})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    assert same_rows(all_rows(plan(tmp_path / "t.parquet")), IMAGES[..., None], LABELS)


def test_two_columns_of_pictures_need_a_choice(tmp_path):
    table = pyarrow.table({"left": CONTENTS, "right": CONTENTS[::-1], "label": LABELS})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    assert "with --ingest.image-column" in refusal(tmp_path / "t.parquet")
    found = plan(tmp_path / "t.parquet", image_column="right")
    assert same_rows(all_rows(found), IMAGES[::-1, ..., None], LABELS)


def test_damaged_pictures_are_named_by_their_rows(tmp_path):
    contents = [*CONTENTS[:5], CONTENTS[5][:40], *CONTENTS[6:]]
    message = refusal(write_hub_parquet(tmp_path / "t.parquet", contents, LABELS))
    assert "1 images cannot be used: 1 damaged (train record 5 is a damaged PNG picture" in message
    assert message.count("record ") == 1


def test_pictures_of_other_sizes_are_named_or_resized(tmp_path):
    wide = png(np.zeros((6, 9), np.uint8))
    path = write_hub_parquet(tmp_path / "t.parquet", [*CONTENTS[:5], wide, *CONTENTS[6:]], LABELS)
    assert "1 of another size (train record 5 is 9×6 pixels, the most frequent size is 5×6" in refusal(path)
    assert plan(path, resize=(4, 4)).image_shape == (4, 4, 1)


def dataset_members(ending):
    members = {}
    for row, (content, label) in enumerate(zip(CONTENTS, LABELS.tolist(), strict=True)):
        members[f"{row:05d}.png"] = content
        value = str(label) if ending == "cls" else json.dumps({"label": label, "more": [1]})
        members[f"{row:05d}.{ending}"] = value.encode()
    return members


@pytest.mark.parametrize("ending", ["cls", "json"])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tar_of_samples(tmp_path, ending, mode):
    path = write_tar(tmp_path / "train-000000.tar", dataset_members(ending), mode)
    assert same_rows(all_rows(plan(path)), IMAGES[..., None], LABELS)


def test_tar_of_class_folders(tmp_path):
    members = {
        f"./set/{split}/{NAMES[label]}/{row}.png": CONTENTS[row]
        for split, part in (("train", range(20)), ("test", range(20, 30)))
        for label in range(3)
        for row in part
        if LABELS[row] == label
    }
    members["./set/__MACOSX/._x.png"] = b"no picture"
    found = plan(write_tar(tmp_path / "set.tgz", members, "w:gz"))
    assert found.class_names == ("one", "two", "zero")
    assert same_rows(rows(found, "test"), IMAGES[20:, ..., None], np.array([2, 0, 1])[LABELS[20:]])


def example(content, label):
    import tensorflow as tf

    text = NAMES[label].encode()
    features = {
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])),
        "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        "image/class/text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text])),
        "image/size": tf.train.Feature(int64_list=tf.train.Int64List(value=[6, 5])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write_tf_records(path, records):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def write_array_records(path, records):
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(path), "group_size:4")
    for record in records:
        writer.write(record)
    writer.close()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("x-train.tfrecord-00000-of-00001", write_tf_records),
        ("x-train.array_record-00000-of-00001", write_array_records),
    ],
)
def test_records_of_tf_example(tmp_path, name, write):
    folder = tmp_path / "records"
    folder.mkdir()
    write(folder / name, [example(content, label) for content, label in zip(CONTENTS, LABELS.tolist(), strict=True)])
    assert same_rows(all_rows(plan(folder)), IMAGES[..., None], LABELS)
    assert plan(folder, label_column="image/class/text").class_names == ("one", "two", "zero")


def test_records_are_identified_without_tensorflow(tmp_path, monkeypatch):
    path = tmp_path / "a.tfrecord"
    write_tf_records(path, [example(CONTENTS[0], 1)])
    source = source_of(Params(dataset="table:a"), RunContext(source=path))
    before = source.fingerprint()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    source.prepare()
    assert source.fingerprint() == before
    path.write_bytes(path.read_bytes() + b"more")
    assert source.fingerprint() != before


@pytest.mark.parametrize(("name", "write"), [("a.tfrecord", write_tf_records), ("a.array_record", write_array_records)])
def test_records_of_another_form_are_refused(tmp_path, name, write):
    write(tmp_path / name, [b"\xff" * 20] * 3)
    assert "holds records that are not tf.Example" in refusal(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    assert "has no records" in refusal(tmp_path / name) or "is damaged" in refusal(tmp_path / name)


def test_prepared_set_of_array_records_is_read_as_one_of_tf_records(tmp_path):
    from components.ingest.read_options import ReadOptions
    from components.ingest.tfds.builders import find_builder
    from components.ingest.tfds.tfds_source import TfdsSource

    found = []
    for file_format in ("tfrecord", "array_record"):
        folder = tmp_path / file_format
        builder = type(find_builder("digits", folder))(data_dir=str(folder), file_format=file_format)
        builder.download_and_prepare()
        scratch = tmp_path / f"scratch {file_format}"
        scratch.mkdir()
        found.append(TfdsSource("digits", folder).plan(ReadOptions(), scratch))
    one, other = found
    assert (one.class_names, one.image_shape, one.version) == (other.class_names, other.image_shape, other.version)
    for split in ("train", "test"):
        for left, right in zip(rows(one, split), rows(other, split), strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("kind", ["parquet", "tar"])
def test_scorer_reads_what_ingest_reads(tmp_path, kind):
    if kind == "parquet":
        path = write_hub_parquet(tmp_path / "t.parquet", CONTENTS, LABELS)
    else:
        path = write_tar(tmp_path / "t.tar", dataset_members("cls"))
    found = plan(path)
    source = find_images([str(path)])
    scored = source.read(0, source.rows, found.image_shape).images
    assert same_rows(all_rows(found), scored, LABELS)
    assert source.named == (kind == "tar")
    assert source.names(3, 4) == (["00003.png"] if kind == "tar" else [str(path)])


def test_equal_headers_are_in_memory_once(tmp_path):
    table = open_any_table(write_hub_parquet(tmp_path / "t.parquet", CONTENTS, LABELS))
    (split,) = unpack_pictures(tmp_path, {"train": [table]}, find_columns(table), tmp_path).splits.values()
    assert len(split.headers) == len(CONTENTS)
    assert len(set(map(id, split.headers))) == 1
