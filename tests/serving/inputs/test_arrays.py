"""arrays: blocks of a file equal what numpy.load gives, and what is no file of images is refused."""

from __future__ import annotations

import gc
import gzip
import io
import math
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import InputError
from serving.inputs.arrays import open_arrays
from serving.inputs.open_file import open_file
from tests.serving.inputs.files_by_hand import idx
from tests.serving.tiny_bundle import npy, npy_with_header, random_images

extents = st.integers(1, 5)
image_shapes = st.tuples(extents, extents, st.integers(1, 3))
HUGE = 10**12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("arrays")


def opened(path, content=None):
    if content is not None:
        path.write_bytes(content)
    return open_arrays(open_file(path))


def stored_shapes(image_shape):
    height, width, channels = image_shape
    shapes = [image_shape, (math.prod(image_shape),)]
    return st.sampled_from(shapes + [(height, width)] * (channels == 1))


@settings(deadline=None)
@given(
    image_shapes, st.integers(0, 20), st.sampled_from([(1, 0), (2, 0), (3, 0)]), st.booleans(), st.booleans(), st.data()
)
def test_any_rows_are_what_numpy_loads(folder, image_shape, rows, version, fortran, as_idx, data):
    stored = data.draw(stored_shapes(image_shape))
    array = random_images(rows, image_shape).reshape(rows, *stored)
    path = folder / "images"
    if as_idx and len(stored) > 1:
        images = opened(path, idx(array))
        expected = array
    else:
        with path.open("wb") as file:
            np.lib.format.write_array(file, np.asarray(array, order="F" if fortran else "C"), version)
        images = opened(path)
        expected = np.load(path)
    assert images.rows == rows
    for _ in range(3):
        start = data.draw(st.integers(0, rows))
        stop = data.draw(st.integers(start, rows))
        block = images.read(start, stop, image_shape)
        assert block.images.dtype == np.uint8
        np.testing.assert_array_equal(block.images, expected[start:stop].reshape(-1, *image_shape))
        assert block.unreadable == ()


def rewrite(path):
    """With the same bytes, and the same time of change for all who ask for it."""
    state = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def copy(path):
    shutil.copy2(path, path.with_name("copy"))
    os.replace(path.with_name("copy"), path)


@pytest.mark.parametrize("change", [rewrite, copy, os.utime])
def test_digest_is_of_the_file_as_it_is(tmp_path, change):
    path = tmp_path / "images.npy"
    before = opened(path, npy(random_images(5))).sha256
    assert opened(path).sha256 == before
    change(path)
    assert opened(path).sha256 != before


@given(image_shapes, image_shapes)
def test_only_images_of_the_models_shape_fit(folder, stored, wanted):
    assert opened(folder / "fit.npy", npy(random_images(2, stored))).fits(wanted) == (stored == wanted)


def test_grey_images_need_no_channel_and_coloured_ones_do(folder):
    images = opened(folder / "grey.npy", npy(random_images(2, (4, 3, 1))[..., 0]))
    assert images.fits((4, 3, 1))
    assert not images.fits((4, 3, 3))
    assert not images.fits((3, 4, 1))


def test_every_mnist_image_is_what_stands_in_the_file(mnist_dir, tmp_path):
    packed = mnist_dir / "t10k-images-idx3-ubyte.gz"
    raw = gzip.decompress(packed.read_bytes())
    expected = np.frombuffer(raw, np.uint8, offset=16).reshape(10_000, 28, 28, 1)
    for images in (opened(packed), opened(tmp_path / "images", raw)):
        block = images.read(0, images.rows, (28, 28, 1))
        np.testing.assert_array_equal(block.images, expected)


def refusal(path, content=None):
    """The message with which a file is refused: one line that names the file."""
    with pytest.raises(InputError) as caught:
        opened(path, content)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def zipped(array):
    file = io.BytesIO()
    np.savez(file, array)
    return file.getvalue()


IMAGES = random_images(2)


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "is not a .npy file or an IDX file, but empty: save the images with numpy.save"),
        (b"index,label\n0,7\n", "but begins with b'index,la': save the images with numpy.save"),
        (zipped(IMAGES), "but a zip file, as numpy.savez writes it: save the images with numpy.save"),
        (b"\x80\x04\x95", "but a pickle: save the images with numpy.save"),
        (b"GIF89a", "but a GIF picture: save"),
        (b"\x93NUMPY\x09\x00", "save the images with numpy.save"),
        (npy(IMAGES)[:30], "save the images with numpy.save"),
        (npy(IMAGES.astype(np.float32)), 'float32, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES / 255), "multiplying by 255"),
        (npy(IMAGES.astype(np.int64)), 'int64, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES.astype(">u4")), 'uint32, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES.astype(np.int8)), 'holds int8, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(IMAGES.astype(">u2")), 'holds uint16, the model takes uint8 (0 to 255): save them with .ast'),
        (npy(IMAGES.astype(np.int8)), 'after adding 128 where they run from -128 to 127'),
        (npy(IMAGES.astype("<u2")), 'after dividing by 257 where they run from 0 to 65,535'),
        (npy(IMAGES > 0), 'bool, the model takes uint8 (0 to 255): save them with .astype("uint8") * 255'),
        (npy(IMAGES.astype(np.complex64)), "complex64, the model takes uint8 (0 to 255): save raw pixels"),
        (npy(np.array([None, "x"], object)), "holds Python objects (object), the model takes uint8 (0 to 255)"),
        (npy(np.zeros(2, [("red", np.uint8), ("gr\nn", np.uint8)])), "holds records ('red', 'gr\\nn'), the"),
        (npy(np.zeros(2, [("only", np.uint8)])), "holds records ('only',), the model takes"),
        (npy(np.zeros((2, 4), "U3")), "save raw pixels"),
        (npy(IMAGES.ravel()), "has shape (48,), as labels have"),
        (npy(IMAGES[None]), "reshape it"),
        (npy(np.uint8(7)), "reshape it"),
        (npy(np.zeros((5, 0, 3), np.uint8)), "reshape it"),
        (npy(IMAGES)[:-1], "47 bytes of values, its header says 48"),
        (npy(IMAGES) + b"\n", "49 bytes of values, its header says 48"),
        (npy(np.asfortranarray(IMAGES))[:-1], "47 bytes of values, its header says 48"),
        (idx(IMAGES)[:-1], "47 bytes of values, its header says 48"),
        (idx(IMAGES) + b"\n", "49 bytes of values, its header says 48"),
        (idx(IMAGES)[:15], "is no IDX file of bytes (its header was cut)"),
        (idx(IMAGES)[:3], "is no IDX file of bytes (it does not begin as one)"),
        (idx(IMAGES.ravel()), "has shape (48,), as labels have"),
        (idx(IMAGES.reshape(2, 24)[:, :, None, None, None]), "it has 5 dimensions, images have 3 or 4 and labels 1"),
        (struct.pack(">HBB", 0, 8, 0), "it has 0 dimensions"),
        (idx(IMAGES, 0x0D), "its values are float32, and not uint8"),
        (idx(IMAGES, 0x77), "its values are of the unknown type 0x77"),
        (struct.pack(">HBBIII", 0, 8, 3, *[2**32 - 1] * 3), f"0 bytes of values, its header says {(2**32 - 1) ** 3:,}"),
        (
            gzip.compress(npy(IMAGES), mtime=0),
            "holds no IDX file of bytes (it does not begin as one): unpack it with gunzip",
        ),
        (gzip.compress(b"", mtime=0), "holds no IDX file of bytes"),
        (gzip.compress(idx(IMAGES)[:-1], mtime=0), "47 bytes of values, its header says 48"),
        (gzip.compress(idx(IMAGES) + b"\n", mtime=0), "49 bytes of values, its header says 48"),
        (gzip.compress(idx(IMAGES), mtime=0) + b"\n", "is a damaged gzip file (Not a gzipped file (b'\\n'))"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "is a damaged gzip file"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-8] + bytes(8), "is a damaged gzip file (CRC check failed"),
        (gzip.compress(idx(IMAGES), mtime=0)[:20] + b"\xff" * 20, "is a damaged gzip file"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "is a damaged gzip file (Error -3 while decompressing data"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_images_is_refused_with_what_to_do(tmp_path, content, advice):
    assert advice in refusal(tmp_path / "images.npy", content)


def header(shape="(2, 4, 3, 2)", descr="'|u1'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


@pytest.mark.parametrize("descr", ["'|u1'", "'<u1'", "'>u1'", "'u1'", "'=u1'"])
def test_bytes_have_no_order(tmp_path, descr):
    content = npy_with_header(header(descr=descr), IMAGES.tobytes())
    np.testing.assert_array_equal(np.load(io.BytesIO(content)), IMAGES)
    np.testing.assert_array_equal(opened(tmp_path / "i.npy", content).read(0, 2, (4, 3, 2)).images, IMAGES)


def test_header_by_python_2_is_read_without_a_warning(tmp_path):
    content = npy_with_header(header("(2L, 4L, 3L, 2L)"), IMAGES.tobytes())
    np.testing.assert_array_equal(opened(tmp_path / "i.npy", content).read(0, 2, (4, 3, 2)).images, IMAGES)


@pytest.mark.parametrize("order", ["False", "True"])
def test_header_that_claims_more_than_there_is_is_refused_before_memory_is_taken(tmp_path, order):
    claim = header(f"({HUGE}, 4, 3, 2)", order=order)
    message = refusal(tmp_path / "images.npy", npy_with_header(claim, bytes(48)))
    assert f"{24 * HUGE:,}" in message


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(header("(2.0, 4, 3, 2)"), id="fractional-shape"),
        pytest.param(header("48"), id="shape-is-a-number"),
        pytest.param(header("(True, 48)"), id="shape-is-a-truth"),
        pytest.param(header("(2, -4, -3, 2)"), id="negative-shape"),
        pytest.param(header("(" + "9" * 3900 + ", 4)"), id="extent-of-4000-digits"),
        pytest.param(header("(0x" + "f" * 3900 + ", 4)"), id="extent-that-cannot-be-written"),
        pytest.param(header(descr="'no type'"), id="no-type"),
        pytest.param(header(descr="7"), id="type-is-a-number"),
        pytest.param(header(descr=r"'\d'"), id="type-that-python-warns-of"),
        pytest.param(header(order="'yes'"), id="order-is-a-word"),
        pytest.param("{}\n", id="empty"),
        pytest.param("{1: 2, 'a': 3}\n", id="keys-that-have-no-order"),
        pytest.param("{[]: 1}\n", id="key-that-is-a-list"),
        pytest.param("[1, 2]\n", id="list"),
        pytest.param("os.abort()\n", id="code"),
        pytest.param("{'descr': (\n", id="open-bracket"),
        pytest.param("{'descr': '''\n", id="open-string"),
        pytest.param("  1\n 2\n", id="indented"),
        pytest.param("(" * 900 + "\n", id="nested"),
        pytest.param(header() + " " * 5000 + "\n", id="long"),
        pytest.param(header().ljust(4097), id="just-too-long"),
    ],
)
def test_damaged_header_is_refused(tmp_path, damaged):
    assert "is not a .npy file (" in refusal(tmp_path / "images.npy", npy_with_header(damaged, bytes(48)))


def test_what_is_no_file_is_refused(tmp_path):
    assert "cannot be read: No such file or directory: give a .npy file" in refusal(tmp_path / "nowhere.npy")
    assert "is a folder, and no file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe or a device, and no file" in refusal(tmp_path / "pipe")
    assert "is a pipe or a device, and no file" in refusal(Path("/dev/zero"))


@pytest.mark.parametrize("stored", [(4, 3), (4, 2, 3), (3, 4, 2), (2, 3, 4), (23,), (25,)])
def test_images_of_another_shape_than_the_models_are_refused_with_both(tmp_path, stored):
    images = opened(tmp_path / "images.npy", npy(np.zeros((5, *stored), np.uint8)))
    for refused in (lambda: images.require_fit((4, 3, 2)), lambda: images.read(0, 2, (4, 3, 2))):
        with pytest.raises(InputError, match="resize them to fit") as caught:
            refused()
        assert str(stored) in str(caught.value)
        assert "(4, 3, 2)" in str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("left_rows", [0, 3, 4, 9.5])
def test_file_cut_short_after_it_was_opened_is_refused(tmp_path, left_rows, order):
    path = tmp_path / "images.npy"
    images = opened(path, npy(np.asarray(random_images(10), order=order)))
    os.truncate(path, path.stat().st_size - 240 + int(left_rows * 24))
    with pytest.raises(InputError, match="became shorter while it was read"):
        [images.read(start, start + 5, (4, 3, 2)) for start in (0, 5)]


def test_file_that_is_replaced_is_read_whole_as_it_was(tmp_path):
    path = tmp_path / "images.npy"
    images = opened(path, npy(random_images(10)))
    images.read(0, 5, (4, 3, 2))
    (tmp_path / "other").write_bytes(npy(random_images(3, seed=8)))
    os.replace(tmp_path / "other", path)
    np.testing.assert_array_equal(images.read(5, 10, (4, 3, 2)).images, random_images(10)[5:])
    images.require_unchanged()


@pytest.mark.parametrize("packed", [False, True])
def test_file_that_was_written_to_is_refused_at_the_end(tmp_path, packed):
    path = tmp_path / "images"
    content = idx(random_images(10))
    images = opened(path, gzip.compress(content, mtime=0) if packed else content)
    images.require_unchanged()
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    with pytest.raises(InputError, match="images was changed while it was read"):
        images.require_unchanged()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    images.require_unchanged()
    with path.open("ab") as file:
        file.write(b"more")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(InputError, match="images was changed while it was read"):
        images.require_unchanged()


def test_no_more_is_unpacked_than_the_header_claims(tmp_path, monkeypatch):
    claimed = idx(random_images(2))
    read = 0
    plain = gzip.GzipFile.read

    def counted(self, size=-1):
        nonlocal read
        piece = plain(self, size)
        read += len(piece)
        return piece

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    assert "49 bytes of values" in refusal(tmp_path / "images.gz", gzip.compress(claimed + bytes(10_000_000), mtime=0))
    assert read == len(claimed) + 1


def test_file_that_cannot_be_unpacked_for_want_of_room_says_where(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    message = refusal(tmp_path / "images.gz", gzip.compress(idx(IMAGES), mtime=0))
    assert "cannot be unpacked: No such file or directory: set TMPDIR" in message


def test_unpacked_file_has_no_name(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    images = opened(tmp_path / "images.gz", gzip.compress(idx(IMAGES), mtime=0))
    assert [path.name for path in tmp_path.iterdir()] == ["images.gz"]
    np.testing.assert_array_equal(images.read(0, 2, (4, 3, 2)).images, IMAGES)


def test_descriptors_are_closed_with_the_source(tmp_path):
    def descriptors():
        # pytest keeps what it caught in a circle.
        gc.collect()
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    images = opened(tmp_path / "images.gz", gzip.compress(idx(IMAGES), mtime=0))
    assert descriptors() > before
    del images
    assert descriptors() == before
    refusal(tmp_path / "images.npy", b"none")
    refusal(tmp_path)
    assert descriptors() == before


@pytest.mark.parametrize("stored", [(4, 3, 2), (24,)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_no_images_are_no_rows(tmp_path, stored, order):
    images = opened(tmp_path / "images.npy", npy(np.zeros((0, *stored), np.uint8, order)))
    assert images.rows == 0
    assert images.read(0, 0, (4, 3, 2)).images.shape == (0, 4, 3, 2)


def test_order_of_storage_does_not_matter_where_there_is_one_way_only(tmp_path):
    row = random_images(1).reshape(1, 24)
    images = opened(tmp_path / "i.npy", npy_with_header(header("(1, 24)", order="True"), row.tobytes()))
    np.testing.assert_array_equal(images.read(0, 1, (4, 3, 2)).images, row.reshape(1, 4, 3, 2))


def test_memory_for_fortran_order_is_a_few_blocks(tmp_path):
    import tracemalloc

    rows, block = 20_000, 200
    images = opened(tmp_path / "i.npy", npy(np.asfortranarray(random_images(rows, (10, 10, 1)))))
    tracemalloc.start()
    images.read(7_000, 7_000 + block, (10, 10, 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * block * 100 + 50_000
