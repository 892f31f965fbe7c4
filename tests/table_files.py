"""Tables of images in the forms that people have, each written by the library that writes such files."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from PIL import Image

NAMES = ("zero", "one", "two")


def pictures(rows: int, size: tuple[int, int] = (6, 5), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey images, uint8 (rows, *size), and labels, int64 (rows,), each class in each part of the rows."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (rows, *size)).astype(np.uint8), np.arange(rows) % len(NAMES)


def png(image: np.ndarray) -> bytes:
    """A PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def write_pixels(path: Path, images: np.ndarray, labels: Sequence[object]) -> Path:
    """`label,pixel0,pixel1,…` by pyarrow: CSV, or Parquet if the path ends so."""
    flat = images.reshape(len(images), -1)
    table = pyarrow.table(
        {"label": list(labels), **{f"pixel{number}": flat[:, number] for number in range(flat.shape[1])}}
    )
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.csv.write_csv(table, path)
    return path


def write_hub_parquet(path: Path, contents: Iterable[bytes], labels: np.ndarray, names: Sequence[str] = NAMES) -> Path:
    """Pictures and labels as the Hugging Face Hub stores them."""
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    rows = [{"bytes": content, "path": None} for content in contents]
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table({"image": pyarrow.array(rows, kind), "label": pyarrow.array(labels)})
    hub = {"huggingface": json.dumps({"info": {"features": features}})}
    pyarrow.parquet.write_table(table.replace_schema_metadata(hub), path, row_group_size=7)
    return path


def write_tar(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    """A tar file of members, in order."""
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A CSV file by the csv module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows])
    return path


def save_png(path: Path, image: np.ndarray) -> Path:
    """A PNG file in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(image))
    return path
