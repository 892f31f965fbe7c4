"""array_source: the rows are those that numpy holds, for any type, order and packing."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from components.ingest.arrays.array_source import ArraySource
from components.ingest.read_options import ReadOptions
from tests.components.ingest.arrays.array_files import (
    EXPECTED,
    HALVES,
    IMAGES,
    LABELS,
    assert_same,
    plan,
    read_rows,
    refusal,
    saved,
)
from tests.conftest import ROOT
from tests.serving.batch.inputs.encoded_files import idx


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("block_rows", [1000, 7])
def test_two_splits_are_read(tmp_path, save, block_rows):
    planned = plan(saved(tmp_path, save, **HALVES), tmp_path, block_rows=block_rows)
    assert_same(planned, EXPECTED)
    assert (planned.image_shape, planned.class_names) == ((5, 4, 1), ("0", "1", "2"))


def test_one_split_is_cut_in_order(tmp_path):
    planned = plan(saved(tmp_path, x=IMAGES, y=LABELS), tmp_path)
    assert_same(
        planned, {"train": (IMAGES[:24, ..., None], LABELS[:24]), "test": (IMAGES[24:, ..., None], LABELS[24:])}
    )


def test_slices_are_joined_in_order(tmp_path):
    planned = plan(
        saved(tmp_path, **HALVES, x_more=IMAGES[:4], y_more=LABELS[:4, None]),
        tmp_path,
        train_split="train[3:7]+more",
        test_split="test[5:]",
        block_rows=3,
    )
    joined = [3, 4, 5, 6, 0, 1, 2, 3]
    assert_same(
        planned, {"train": (IMAGES[joined][..., None], LABELS[joined]), "test": (IMAGES[25:, ..., None], LABELS[25:])}
    )


types = st.sampled_from(["|b1", "|u1", "<u2", ">u2", "<u4", ">i2", "<i8", ">i8", "<f2", ">f4", "<f4", ">f8", "<f16"])
labels_types = st.sampled_from(["|b1", "|u1", "|i1", "<u2", ">i2", ">u4", "<i8", ">i8", "<u8", ">u8", "<f4", ">f8"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 12),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([(), (1,), (3,)]),
    types,
    labels_types,
    st.sampled_from("CF"),
    st.booleans(),
    st.sampled_from([np.savez, np.savez_compressed]),
    st.integers(1, 6),
    st.data(),
)
def test_numbers_of_any_type_and_order_are_read_exactly(
    tmp_path, rows, size, channels, images_type, labels_type, order, column, save, block_rows, data
):
    shape = (rows, *size, *channels)
    images = data.draw(hnp.arrays(np.dtype(images_type), shape, elements=None))
    bits = {"elements": st.integers(0, 99)} if np.dtype(labels_type).kind in "iu" else {}
    labels = data.draw(hnp.arrays(np.dtype(labels_type), (rows, 1) if column else (rows,), **bits))
    # Each array in its own order, and the test rows in the other.
    flipped = np.asarray(images, order="F" if order == "C" else "C")
    arrays = {"x_train": np.asarray(images, order=order), "y_train": labels, "x_test": flipped, "y_test": labels}
    planned = plan(saved(tmp_path, save, **arrays), tmp_path, block_rows=block_rows, classes=3)
    native = images.astype(images.dtype.newbyteorder("=")).reshape(rows, *size, *(channels or (1,)))
    numbers = labels.reshape(-1)
    numbers = numbers.astype(np.int64 if numbers.dtype.kind in "iu" else numbers.dtype.newbyteorder("="))
    assert planned.image_shape == native.shape[1:]
    for split in ("train", "test"):
        for got, array in zip(read_rows(planned, split), (native, numbers), strict=True):
            np.testing.assert_array_equal(got, array, strict=True)
            assert got.dtype.isnative


def test_names_and_version(tmp_path):
    file = saved(tmp_path, **HALVES)
    arrays = ArraySource(file, tmp_path / "memory")
    planned = plan(file, tmp_path)
    assert (planned.dataset, planned.version) == ("arrays:shapes", arrays.fingerprint()["content"][:12])
    assert (arrays.prepare_folder, arrays.missing_reason(), arrays.prepare()) == (None, None, None)
    assert arrays.model.startswith("shapes-")
    assert pickle.loads(pickle.dumps(arrays)) == arrays


def test_fingerprint_imports_no_large_library(tmp_path):
    code = (
        "import sys, pathlib; from components.ingest.arrays.array_source import ArraySource;"
        f"ArraySource(pathlib.Path({str(saved(tmp_path, **HALVES))!r}), None).fingerprint();"
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'PIL', 'apache_beam') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_another_process_reads_a_block(tmp_path, monkeypatch):
    saved(tmp_path, **HALVES)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    planned = ArraySource(Path("shapes.npz"), None).plan(ReadOptions(), Path("work"))
    code = "import sys, pickle; print(pickle.load(sys.stdin.buffer).read()[0].sum())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input=pickle.dumps(planned.readers[0]), capture_output=True, check=True
    )
    assert int(done.stdout) == IMAGES[:20].sum()


def test_slices_of_two_types_are_not_joined(tmp_path):
    file = saved(tmp_path, **HALVES, x_more=IMAGES.astype(np.float32), y_more=LABELS)
    message = refusal(file, tmp_path, train_split="train+more", test_split="test")
    assert "--ingest.train-split joins arrays of different types, " in message
    assert "x_train (uint8, labels int64)" in message
    file = saved(tmp_path, **HALVES, x_more=IMAGES, y_more=LABELS.astype(np.uint8))
    assert len(read_rows(plan(file, tmp_path, train_split="train+more", test_split="test"), "train")[0]) == 50


def test_other_paths_are_refused(tmp_path):
    (tmp_path / "nothing").mkdir()
    assert "holds no arrays: give a folder with IDX, .npy, .npz or .mat files" in refusal(
        tmp_path / "nothing", tmp_path
    )
    assert "did you mean" in refusal(tmp_path / "nothings", tmp_path)
    os.mkfifo(tmp_path / "pipe.npz")
    assert "is a pipe or a device" in refusal(tmp_path / "pipe.npz", tmp_path)
    assert "holds first, second, third: save images and labels" in refusal(
        saved(tmp_path, first=IMAGES, second=LABELS, third=LABELS), tmp_path
    )
    (tmp_path / "nothing" / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    assert "holds train-images-idx3-ubyte, the images of train, without labels" in refusal(
        tmp_path / "nothing", tmp_path
    )


def test_memory_does_not_grow_with_the_file(tmp_path):
    code = (
        "import sys, pathlib, resource, numpy, components.ingest.slicing, tensorflow_datasets.core.splits\n"
        "from components.ingest.arrays.array_source import ArraySource\n"
        "from components.ingest.read_options import ReadOptions\n"
        "path, scratch = map(pathlib.Path, sys.argv[1:])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "planned = ArraySource(path).plan(ReadOptions(block_rows=100), scratch)\n"
        "for reader in planned.readers: reader.read()\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    file = saved(tmp_path, np.savez_compressed, x=np.zeros((4000, 200, 300), np.uint8), y=np.zeros(4000, np.int64))
    (tmp_path / "work").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, file, tmp_path / "work"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    # Of 229 MiB.
    assert int(done.stdout) < 120
