"""arrays: what is read is what numpy holds, of any type, order and packing; and what no set is, is refused."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from components.sources import class_names
from components.sources.arrays import Arrays
from components.sources.source import Wanted
from serving.errors import InputError
from tests.serving.inputs.files_by_hand import idx

RANDOM = np.random.default_rng(3)
ROWS = 30
IMAGES = RANDOM.integers(0, 256, (ROWS, 5, 4), np.uint8)
LABELS = RANDOM.integers(0, 3, ROWS)
LABELS[0] = 2
HALVES = {"x_train": IMAGES[:20], "y_train": LABELS[:20], "x_test": IMAGES[20:], "y_test": LABELS[20:]}
MNIST = {"train-images-idx3": IMAGES[:20], "train-labels-idx1": LABELS[:20].astype(np.uint8)}
MNIST |= {"t10k-images-idx3": IMAGES[20:], "t10k-labels-idx1": LABELS[20:].astype(np.uint8)}


def wanted(**changes):
    whole = {"train_split": None, "test_split": None, "block_rows": 1000, "resize": None, "classes": None}
    return Wanted(**{**whole, **changes})


def saved(tmp_path, save=np.savez, **arrays):
    file = tmp_path / "shapes.npz"
    save(file, **arrays)
    return file


def opened(path, tmp_path, **changes):
    scratch = tmp_path / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    return Arrays(path, None).open(wanted(**changes), scratch)


def read(found, split):
    slices = [piece for piece in found.slices if piece.split == split]
    assert [piece.index for piece in slices] == list(range(len(slices)))
    parts = [pickle.loads(pickle.dumps(piece)).read() for piece in slices]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def assert_same(found, expected):
    """Of both splits, to the bit and the type."""
    for split, arrays in expected.items():
        for got, array in zip(read(found, split), arrays, strict=True):
            np.testing.assert_array_equal(got, array, strict=True)


def refusal(path, tmp_path, **changes):
    with pytest.raises(InputError) as caught:
        [piece.read() for piece in opened(path, tmp_path, **changes).slices]
    assert "\n" not in str(caught.value)
    return str(caught.value)


EXPECTED = {"train": (IMAGES[:20, ..., None], LABELS[:20]), "test": (IMAGES[20:, ..., None], LABELS[20:])}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("block_rows", [1000, 7])
def test_pairs_of_two_splits_are_read(tmp_path, save, block_rows):
    found = opened(saved(tmp_path, save, **HALVES), tmp_path, block_rows=block_rows)
    assert_same(found, EXPECTED)
    assert (found.image_shape, found.class_names) == ((5, 4, 1), ("0", "1", "2"))


def test_one_pair_is_cut_as_it_stands(tmp_path):
    found = opened(saved(tmp_path, x=IMAGES, y=LABELS), tmp_path)
    assert_same(found, {"train": (IMAGES[:24, ..., None], LABELS[:24]), "test": (IMAGES[24:, ..., None], LABELS[24:])})


def test_parts_are_joined_in_order(tmp_path):
    found = opened(
        saved(tmp_path, **HALVES, x_more=IMAGES[:4], y_more=LABELS[:4, None]),
        tmp_path,
        train_split="train[3:7]+more",
        test_split="test[5:]",
        block_rows=3,
    )
    joined = [3, 4, 5, 6, 0, 1, 2, 3]
    assert_same(
        found, {"train": (IMAGES[joined][..., None], LABELS[joined]), "test": (IMAGES[25:, ..., None], LABELS[25:])}
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
def test_any_numbers_come_back(
    tmp_path, rows, size, channels, images_type, labels_type, order, column, save, block_rows, data
):
    shape = (rows, *size, *channels)
    images = data.draw(hnp.arrays(np.dtype(images_type), shape, elements=None))
    bits = {"elements": st.integers(0, 99)} if np.dtype(labels_type).kind in "iu" else {}
    labels = data.draw(hnp.arrays(np.dtype(labels_type), (rows, 1) if column else (rows,), **bits))
    # Each array in its own order, and the test rows in the other.
    flipped = np.asarray(images, order="F" if order == "C" else "C")
    arrays = {"x_train": np.asarray(images, order=order), "y_train": labels, "x_test": flipped, "y_test": labels}
    found = opened(saved(tmp_path, save, **arrays), tmp_path, block_rows=block_rows, classes=3)
    native = images.astype(images.dtype.newbyteorder("=")).reshape(rows, *size, *(channels or (1,)))
    numbers = labels.reshape(-1)
    numbers = numbers.astype(np.int64 if numbers.dtype.kind in "iu" else numbers.dtype.newbyteorder("="))
    assert found.image_shape == native.shape[1:]
    for split in ("train", "test"):
        for got, array in zip(read(found, split), (native, numbers), strict=True):
            np.testing.assert_array_equal(got, array, strict=True)
            assert got.dtype.isnative


@pytest.mark.parametrize("packed", [False, True, None])
@pytest.mark.parametrize(("prefix", "test"), [("", "t10k"), ("emnist-letters-", "test")])
def test_idx_files_are_read(tmp_path, packed, prefix, test):
    root = tmp_path / "mnist"
    root.mkdir()
    for number, (name, array) in enumerate(MNIST.items()):
        name = prefix + name.replace("t10k", test) + "-ubyte"
        if packed or (packed is None and number % 2):
            (root / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (root / name).write_bytes(idx(array))
    (root / "emnist-letters-mapping.txt").write_text("0 48")
    (root / "._train-images-idx3-ubyte").write_text("hidden")
    found = opened(root, tmp_path, block_rows=7)
    assert_same(found, EXPECTED)
    assert found.dataset == "arrays:mnist"
    assert sum(1 for _ in (tmp_path / "scratch").iterdir()) == {False: 0, True: 4, None: 2}[packed]


def test_unpacked_idx_file_is_taken_before_the_packed_one(tmp_path):
    for name, array in MNIST.items():
        (tmp_path / f"{name}-ubyte").write_bytes(idx(array))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8bdamaged")
    assert_same(opened(tmp_path, tmp_path), EXPECTED)


def test_idx_files_of_several_sets_are_refused(tmp_path):
    for prefix in ("emnist-digits-", "emnist-letters-"):
        for name, array in MNIST.items():
            (tmp_path / f"{prefix}{name}-ubyte").write_bytes(idx(array))
    assert "holds files of 2 sets (emnist-digits-" in refusal(tmp_path, tmp_path)


def test_names_and_version(tmp_path):
    file = saved(tmp_path, **HALVES)
    arrays = Arrays(file, tmp_path / "memory")
    found = opened(file, tmp_path)
    assert (found.dataset, found.version) == ("arrays:shapes", arrays.fingerprint()["content"][:12])
    assert (arrays.written, arrays.lack(), arrays.prepare()) == (None, None, None)
    assert arrays.model.startswith("shapes-")
    assert pickle.loads(pickle.dumps(arrays)) == arrays


def test_fingerprint_is_of_the_files_concerned(tmp_path):
    for name, array in MNIST.items():
        (tmp_path / f"{name}-ubyte").write_bytes(idx(array))
    before = Arrays(tmp_path, None).fingerprint()
    (tmp_path / "README").write_text("no array")
    assert Arrays(tmp_path, None).fingerprint() == before
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(MNIST["t10k-labels-idx1"][::-1]))
    assert Arrays(tmp_path, None).fingerprint() != before


def test_planning_imports_no_library(tmp_path):
    code = (
        "import sys, pathlib; from components.sources.arrays import Arrays;"
        f"Arrays(pathlib.Path({str(saved(tmp_path, **HALVES))!r}), None).fingerprint();"
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'PIL', 'apache_beam') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, check=True)
    assert said.stdout.strip() == b"[]"


def test_another_process_reads_a_slice(tmp_path, monkeypatch):
    saved(tmp_path, **HALVES)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    found = Arrays(Path("shapes.npz"), None).open(wanted(), Path("work"))
    code = "import sys, pickle; print(pickle.load(sys.stdin.buffer).read()[0].sum())"
    root = Path(__file__).parents[3]
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=root, input=pickle.dumps(found.slices[0]), capture_output=True, check=True
    )
    assert int(said.stdout) == IMAGES[:20].sum()


def test_class_names_are_taken(tmp_path):
    names = np.array(["ring", "a, b", "花"])
    for stored in (names, names.astype(">U9"), np.array([name.encode() for name in names])):
        found = opened(saved(tmp_path, **HALVES, class_names=stored), tmp_path, classes=3)
        assert found.class_names == ("ring", "a, b", "花")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "a"], "class_names holds 'a' for 0 and for 2"),
        ([["a"], ["b"]], "class_names has shape (2, 1)"),
        ([], "class_names holds float64: save names as an array of text"),
        (np.array("a"), "class_names has shape ()"),
        ([1, 2], "class_names holds int64: save names as an array of text"),
        (np.array(["a", "b"], object), "class_names holds Python objects, which are never loaded"),
        ([b"a", b"\xff"], "class_names holds names that are no text"),
        (np.array([0xD800], "<u4").view("<U1"), "class_names holds names that are no text"),
        (np.array([0xFFFFFFFF], "<u4").view("<U1"), "class_names holds names that are no text"),
    ],
)
def test_names_that_are_none_are_refused(tmp_path, names, message):
    assert message in refusal(saved(tmp_path, **HALVES, class_names=names), tmp_path)


def test_number_of_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(class_names, "CHUNK_ROWS", 7)

    def names(labels, **changes):
        return opened(saved(tmp_path, **{**HALVES, "y_train": labels}), tmp_path, **changes).class_names

    labels = LABELS[:20].astype(float)
    labels[[3, 11, 12, 13, 19]] = np.nan, np.inf, -np.inf, 7.5, 5
    assert names(labels) == tuple("012345")
    assert names(np.full(20, np.nan)) == ("0",)
    assert names(np.full(20, -3)) == ("0",)
    assert names(LABELS[:20], classes=5) == tuple("01234")
    # It is the whole split that counts, and no other.
    assert names(np.arange(20) % 10, train_split="train[:2]") == tuple("0123456789")
    assert opened(saved(tmp_path, **{**HALVES, "y_test": LABELS[20:] + 9}), tmp_path).class_names == tuple("012")
    labels[17] = 1e30
    assert "y_train has the label 1e+30 in row 17: mend it, or say" in refusal_of(tmp_path, labels)
    assert "y_train has the label 10000 in row 19" in refusal_of(tmp_path, np.arange(9981, 10_001))
    assert len(names(np.arange(9980, 10_000))) == 10_000
    wrong = saved(tmp_path, **HALVES, class_names=["a", "b", "c"])
    assert "--ingest.classes 4: " in refusal(wrong, tmp_path, classes=4)


def refusal_of(tmp_path, labels):
    return refusal(saved(tmp_path, **{**HALVES, "y_train": labels}), tmp_path)


@pytest.mark.parametrize("labels_type", ["<u8", ">u8"])
def test_labels_are_never_cast_but_exactly(tmp_path, labels_type):
    most = np.array([2**63 - 1] * 20, labels_type)
    found = opened(saved(tmp_path, **{**HALVES, "y_train": most}), tmp_path, classes=3)
    assert (read(found, "train")[1] == 2**63 - 1).all()
    most[6] += 1
    file = saved(tmp_path, **{**HALVES, "y_train": most})
    assert "y_train has the label 9223372036854775808 in row 6" in refusal(file, tmp_path, classes=3, block_rows=4)


def test_only_bytes_are_resized(tmp_path):
    from components.sources.resize import resize

    file = saved(tmp_path, x_train=IMAGES, y_train=LABELS, x_test=np.repeat(IMAGES, 2, axis=2), y_test=LABELS)
    assert "x_train has images of shape (5, 4, 1)" in refusal(file, tmp_path)
    found = opened(file, tmp_path, resize=(3, 7))
    assert found.image_shape == (3, 7, 1)
    np.testing.assert_array_equal(read(found, "train")[0], resize(IMAGES[..., None], (3, 7)))
    fractions = IMAGES / np.float32(255)
    found = opened(saved(tmp_path, x=fractions, y=LABELS), tmp_path, resize=(3, 7))
    assert found.image_shape == (5, 4, 1)
    np.testing.assert_array_equal(read(found, "train")[0], fractions[:24, ..., None], strict=True)


def test_resized_in_pieces_is_the_same(tmp_path, monkeypatch):
    import components.sources.arrays

    file = saved(tmp_path, x=IMAGES, y=LABELS)
    whole = read(opened(file, tmp_path, resize=(3, 7)), "train")[0]
    monkeypatch.setattr(components.sources.arrays, "RESIZED_BYTES", 70)
    np.testing.assert_array_equal(read(opened(file, tmp_path, resize=(3, 7)), "train")[0], whole)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x_train": IMAGES[:20].reshape(20, -1)},
            "x_train has shape (20, 20), images are (n, h, w) or (n, h, w, c): res",
        ),
        ({"x_train": IMAGES[0, 0]}, "x_train has shape (4,)"),
        ({"x_train": IMAGES[:0], "y_train": LABELS[:0]}, "x_train has shape (0, 5, 4)"),
        ({"x_train": IMAGES[:20, :0]}, "x_train has shape (20, 0, 4)"),
        ({"x_train": np.uint8(3)}, "x_train has shape ()"),
        ({"y_train": np.eye(3)[LABELS[:20]]}, "y_train has shape (20, 3), labels are (n,): save one number"),
        ({"y_train": np.int64(3)}, "y_train has shape ()"),
        ({"y_train": LABELS[:19]}, "x_train has 20 images and "),
        ({"x_train": IMAGES[:20].astype(object)}, "x_train holds Python objects, which are never loaded"),
        ({"y_train": LABELS[:20].astype(object)}, "y_train holds Python objects, which are never loaded"),
        ({"y_train": LABELS[:20].astype(str)}, "y_train holds <U21: save labels as an array of numbers"),
        ({"x_train": IMAGES[:20].astype(complex)}, "x_train holds complex128"),
        ({"x_train": IMAGES[:20].view([("a", "u1")])}, "x_train holds [('a', 'u1')]"),
        ({"x_more": IMAGES}, "holds x_more, the images of more, without labels"),
        ({"y_more": LABELS}, "holds y_more, the labels of more, without images"),
        ({"x": IMAGES, "y": LABELS}, "holds both x_train and x as the images of train"),
    ],
)
def test_what_no_set_is_is_refused(tmp_path, changes, message):
    assert message in refusal(saved(tmp_path, **{**HALVES, **changes}), tmp_path)


def test_parts_of_two_types_are_not_joined(tmp_path):
    file = saved(tmp_path, **HALVES, x_more=IMAGES.astype(np.float32), y_more=LABELS)
    message = refusal(file, tmp_path, train_split="train+more", test_split="test")
    assert "--ingest.train-split joins " in message
    assert "x_train uint8 with labels int64" in message
    file = saved(tmp_path, **HALVES, x_more=IMAGES, y_more=LABELS.astype(np.uint8))
    assert len(read(opened(file, tmp_path, train_split="train+more", test_split="test"), "train")[0]) == 50


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no .npz file: save images and labels with numpy.savez"),
        (b"\x93NUMPY\x01\x00", "is no .npz file"),
        (pickle.dumps({"x": 1}), "is no .npz file"),
        (b"PK\x03\x04 and no more", "is a damaged .npz file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "set.npz").write_bytes(content)
    assert message in refusal(tmp_path / "set.npz", tmp_path)
    with pytest.raises(InputError):
        Arrays(tmp_path / "set.npz", None).fingerprint()


def test_other_places_are_refused(tmp_path):
    (tmp_path / "nothing").mkdir()
    assert "holds no IDX files" in refusal(tmp_path / "nothing", tmp_path)
    assert "did you mean" in refusal(tmp_path / "nothings", tmp_path)
    os.mkfifo(tmp_path / "pipe.npz")
    assert "is a pipe or a device" in refusal(tmp_path / "pipe.npz", tmp_path)
    assert "holds images, labels: save images and labels" in refusal(
        saved(tmp_path, images=IMAGES, labels=LABELS), tmp_path
    )
    (tmp_path / "nothing" / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    assert "holds train-images-idx3-ubyte, the images of train, without labels" in refusal(
        tmp_path / "nothing", tmp_path
    )


def archive(tmp_path, **members):
    """A .npz file of these bytes."""
    file = tmp_path / "by-hand.npz"
    with zipfile.ZipFile(file, "w") as target:
        for name, content in members.items():
            target.writestr(f"{name}.npy", content)
    return file


def npy(array, header=None):
    stream = io.BytesIO()
    np.save(stream, array)
    if header is None:
        return stream.getvalue()
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (30, 5, 400000000000)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-30, 5, 4)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (30, 5, 3)}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (30, 5, 4)}",
        "{'descr': '|u1'",
        "(" * 3000,
    ],
)
def test_absurd_headers_are_refused(tmp_path, header):
    file = archive(tmp_path, x=npy(IMAGES, header), y=npy(LABELS))
    assert "by-hand.npz/x " in refusal(file, tmp_path)


def test_damaged_archives_are_refused_in_one_sentence(tmp_path):
    for member in (npy(IMAGES)[:-7], npy(IMAGES) + b"more"):
        message = refusal(archive(tmp_path, x=member, y=npy(LABELS)), tmp_path)
        assert "bytes of values, its header says 600 for shape (30, 5, 4)" in message
    content = bytearray(saved(tmp_path, np.savez, **HALVES).read_bytes())
    content[content.index(IMAGES[3].tobytes())] ^= 1
    (tmp_path / "flipped.npz").write_bytes(content)
    assert "flipped.npz/x_train is damaged (Bad CRC-32" in refusal(tmp_path / "flipped.npz", tmp_path)


def test_damaged_idx_files_are_refused_in_one_sentence(tmp_path):
    for name, array in MNIST.items():
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    images = tmp_path / "train-images-idx3-ubyte.gz"
    whole = images.read_bytes()
    flipped = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
    for content, why in (
        (whole[:-20], "is damaged (Compressed file ended"),
        (flipped, "is damaged (CRC check failed"),
        (gzip.compress(b"no array"), "is damaged (it does not begin as one)"),
        (gzip.compress(idx(IMAGES[:20], kind=0x0D)), "is damaged (its values are float32, and not uint8)"),
        (gzip.compress(idx(IMAGES[:20])[:-1]), "has 399 bytes of values, its header says 400"),
        (gzip.compress(idx(IMAGES[:20]) + b"1"), "has 401 bytes of values, its header says 400"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3)), "has 0 bytes of values, its header says "),
        (idx(IMAGES[:20])[:-1], "has 399 bytes of values, its header says 400"),
    ):
        images.write_bytes(content)
        assert f"train-images-idx3-ubyte.gz {why}" in refusal(tmp_path, tmp_path)


def test_no_more_is_unpacked_than_the_header_claims(tmp_path):
    content = archive(tmp_path, x=npy(IMAGES) + bytes(10**7), y=npy(LABELS))
    refusal(content, tmp_path)
    assert sum(file.stat().st_size for file in (tmp_path / "scratch").iterdir()) < 2000


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_byte_is_refused_or_changes_nothing(tmp_path, data):
    save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
    content = bytearray(saved(tmp_path, save, **HALVES, class_names=["a", "b", "c"]).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "changed.npz").write_bytes(content)
    try:
        found = opened(tmp_path / "changed.npz", tmp_path)
        assert found.class_names == ("a", "b", "c")
        assert_same(found, EXPECTED)
    except InputError:
        pass


def test_scratch_without_room_is_told(tmp_path):
    file = saved(tmp_path, **HALVES)
    with pytest.raises(InputError, match=r"x_train cannot be unpacked to .*/gone: No such file"):
        Arrays(file, None).open(wanted(), tmp_path / "gone")


def test_memory_does_not_grow_with_the_file(tmp_path):
    code = (
        "import sys, pathlib, resource, numpy, components.sources.slicing, tensorflow_datasets.core.splits\n"
        "from components.sources.arrays import Arrays; from components.sources.source import Wanted\n"
        "path, scratch = map(pathlib.Path, sys.argv[1:])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = Arrays(path, None).open(Wanted(None, None, 100, None, None), scratch)\n"
        "for piece in found.slices: piece.read()\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    file = saved(tmp_path, np.savez_compressed, x=np.zeros((4000, 200, 300), np.uint8), y=np.zeros(4000, np.int64))
    (tmp_path / "work").mkdir()
    said = subprocess.run(
        [sys.executable, "-c", code, file, tmp_path / "work"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=True,
    )
    # Of 229 MiB.
    assert int(said.stdout) < 120
