"""A folder with the files that wrong invocations name."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import components.ingest.tfds.tfds_source
from tests.mnist_files import MNIST_SHA256
from tests.serving import tiny_bundle

IMAGES = np.zeros((3, 8, 8, 1), np.uint8)


@pytest.fixture(scope="module")
def filled(tmp_path_factory, made):
    """A folder with every file that the tables name. No test changes it, so all tests share it."""
    tmp_path = tmp_path_factory.mktemp("place")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "empty").mkdir()
    (tmp_path / "changed").mkdir()
    for name in MNIST_SHA256:
        (tmp_path / "changed" / name).write_bytes(b"something else")
    (tmp_path / "damaged" / "history").mkdir(parents=True)
    (tmp_path / "damaged" / "history" / "0001.json").write_text("{")
    (tmp_path / "same.json").write_text("{}")
    write_files(tmp_path)
    shape = (8, 8, 1)
    tiny_bundle.seal(tmp_path / "float", image_shape=shape)
    tiny_bundle.seal(tmp_path / "resized", image_shape=shape, preprocessing=tiny_bundle.resized_to(shape))
    tiny_bundle.seal(tmp_path / "other", image_shape=shape, preprocessing=tiny_bundle.resized_to(shape, "nearest"))
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    shutil.copytree(made.bundle.path, tmp_path / "tampered")
    with (tmp_path / "tampered" / "model.onnx").open("ab") as model:
        model.write(b"more")
    return tmp_path


@pytest.fixture
def place(filled, monkeypatch):
    """That folder as the working directory, without a network."""
    monkeypatch.chdir(filled)
    monkeypatch.setattr(
        components.ingest.tfds.tfds_source, "unreachable_reason", lambda url: "cannot be reached (no network)"
    )
    monkeypatch.setenv("TFDS_DATA_DIR", str(filled / "tfds"))
    return filled


def write_files(folder: Path) -> None:
    """Image files that the scorer refuses, each named after its fault."""
    np.save(folder / "images.npy", IMAGES)
    np.save(folder / "floats.npy", IMAGES / 255)
    np.save(folder / "complex.npy", IMAGES.astype(np.complex128))
    np.save(folder / "rank.npy", np.zeros(2, np.uint8))
    np.save(folder / "size.npy", np.zeros((3, 9, 9), np.uint8))
    np.save(folder / "flat.npy", np.zeros((3, 81), np.uint8))
    np.save(folder / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(folder / "records.npy", np.zeros(3, [("pixel", np.uint8)]))
    np.save(folder / "labels.npy", np.zeros(4, np.int64))
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}"
    (folder / "huge.npy").write_bytes(tiny_bundle.npy_with_header(header, bytes(100)))
    (folder / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    whole = (folder / "images.npy").read_bytes()
    (folder / "cut.npy").write_bytes(whole[:-5])
    (folder / "more.npy").write_bytes(whole + b"more")
    (folder / "nothing.npy").touch()
    (folder / "text.npy").write_text("0,1,2\n")
    (folder / "pickle.npy").write_bytes(pickle.dumps([1, 2]))
    (folder / "foreign.csv").write_text("another program\n")
    with zipfile.ZipFile(folder / "zip.npy", "w") as archive:
        archive.writestr("images.npy", whole)
        archive.writestr("more.npy", whole)
