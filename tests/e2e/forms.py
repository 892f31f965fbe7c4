"""MNIST's images in every form in which people have data, each written by the library that writes such files."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.table_files import save_png, write_hub_parquet, write_pixels, write_rows, write_tar

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Data(NamedTuple):
    """Training and test images, uint8 (n, 28, 28), and their labels, int64 (n,)."""

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]

    @property
    def splits(self):
        return self._asdict().items()


class Form(NamedTuple):
    """A kind of --dataset, the path, and the options of ingest."""

    kind: str
    path: Path
    options: Mapping[str, object] = MappingProxyType({})


def names_of(labels):
    return [NAMES[label] for label in labels]


def png_of(image, kind="PNG"):
    import io

    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def csv_of_pixels(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        write_pixels(folder / f"mnist_{split}.csv", images, labels)
    return Form("table", folder)


def csv_without_names(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        with (folder / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(np.c_[labels, images.reshape(len(images), -1)].tolist())
    return Form("table", folder)


def parquet_of_pixels(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        write_pixels(folder / f"{split}.parquet", images, names_of(labels))
    return Form("table", folder)


def parquet_of_the_hub(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        write_hub_parquet(folder / f"{split}-00000-of-00001.parquet", map(png_of, images), labels, NAMES)
    return Form("table", folder)


def csv_of_names(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        for row, image in enumerate(images):
            save_png(folder / split / f"{row}.png", image)
        rows = [(f"{row}.png", name) for row, name in enumerate(names_of(labels))]
        write_rows(folder / split / "labels.csv", ("file", "label"), rows)
    return Form("table", folder)


def coco(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        for row, image in enumerate(images):
            save_png(folder / split / f"{row}.png", image)
        content = {
            "images": [{"id": row, "file_name": f"{row}.png"} for row in range(len(labels))],
            "annotations": [{"image_id": row, "category_id": int(label)} for row, label in enumerate(labels)],
            "categories": [{"id": number, "name": name} for number, name in enumerate(NAMES)],
        }
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content))
    return Form("table", folder)


def class_in_the_name(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        for row, (image, name) in enumerate(zip(images, names_of(labels), strict=True)):
            save_png(folder / split / f"{name}.{row}.png", image)
    return Form("folder", folder, {"class_pattern": "([a-z]+)[.][0-9]"})


def pictures(suffix: str, kind: str) -> Callable[[Path, Data], Form]:
    def write(folder: Path, data: Data) -> Form:
        options = {"lossless": True} if kind == "WEBP" else {}
        for split, (images, labels) in data.splits:
            for row, (image, name) in enumerate(zip(images, names_of(labels), strict=True)):
                target = folder / split / name / f"{row}{suffix}"
                target.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(target, kind, **options)
        return Form("folder", folder)

    return write


def webdataset(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        members = {}
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            members |= {f"{row:06d}.png": png_of(image), f"{row:06d}.cls": str(label).encode()}
        write_tar(folder / f"{split}-000000.tar", members)
    return Form("table", folder)


def tf_records(folder: Path, data: Data) -> Form:
    import tensorflow as tf

    for split, (images, labels) in data.splits:
        with tf.io.TFRecordWriter(str(folder / f"{split}.tfrecord")) as writer:
            for image, label in zip(images, labels.tolist(), strict=True):
                writer.write(tf_example(png_of(image), label))
    return Form("table", folder)


def array_records(folder: Path, data: Data) -> Form:
    from array_record.python.array_record_module import ArrayRecordWriter

    for split, (images, labels) in data.splits:
        writer = ArrayRecordWriter(str(folder / f"{split}.array_record"), "group_size:1")
        for image, label in zip(images, labels.tolist(), strict=True):
            writer.write(tf_example(png_of(image), label))
        writer.close()
    return Form("table", folder)


def tf_example(content: bytes, label: int) -> bytes:
    import tensorflow as tf

    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def medmnist(folder: Path, data: Data) -> Form:
    arrays = {}
    for split, (images, labels) in data.splits:
        arrays |= {f"{split}_images": images, f"{split}_labels": labels[:, None].astype(np.uint8)}
    np.savez_compressed(folder / "mnist.npz", **arrays)
    return Form("arrays", folder / "mnist.npz")


def kmnist(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        np.savez_compressed(folder / f"kmnist-{split}-imgs.npz", images)
        np.savez_compressed(folder / f"kmnist-{split}-labels.npz", labels)
    return Form("arrays", folder)


def one_hot(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        np.save(folder / f"X_{split}.npy", images)
        np.save(folder / f"y_{split}.npy", np.eye(10)[labels])
    return Form("arrays", folder)


def idx(folder: Path, data: Data) -> Form:
    for split, (images, labels) in data.splits:
        for name, values in (("pictures", images), ("classes", labels.astype(np.uint8))):
            head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
            (folder / f"{split}_{'images' if name == 'pictures' else 'labels'}.bin.gz").write_bytes(
                gzip.compress(head + values.tobytes(), 1)
            )
    return Form("arrays", folder)


def mat(folder: Path, data: Data) -> Form:
    from scipy.io import savemat

    for split, (images, labels) in data.splits:
        content = {"X": np.moveaxis(images, 0, -1)[:, :, None], "y": np.where(labels == 0, 10, labels)[:, None]}
        savemat(folder / f"{split}_28x28.mat", content, do_compression=True)
    return Form("arrays", folder)


FORMS = {
    "CSV of pixels": csv_of_pixels,
    "CSV without names of columns": csv_without_names,
    "Parquet of pixels": parquet_of_pixels,
    "Parquet of the Hub": parquet_of_the_hub,
    "CSV of names": csv_of_names,
    "COCO": coco,
    "class in the name": class_in_the_name,
    "PNG": pictures(".png", "PNG"),
    "WebP": pictures(".webp", "WEBP"),
    "BMP": pictures(".bmp", "BMP"),
    "GIF": pictures(".gif", "GIF"),
    "TIFF": pictures(".tif", "TIFF"),
    "PGM": pictures(".pgm", "PPM"),
    "WebDataset": webdataset,
    "TFRecord": tf_records,
    "ArrayRecord": array_records,
    "MedMNIST": medmnist,
    "K-MNIST": kmnist,
    "one-hot": one_hot,
    "IDX": idx,
    "MAT": mat,
}
