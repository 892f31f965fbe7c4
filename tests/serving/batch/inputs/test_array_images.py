"""array_images: the rows of a file equal the rows that numpy.load returns."""

from __future__ import annotations

import gzip
import io
import math
import os
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import InputError
from tests.serving.batch.inputs.array_files import IMAGES, header, opened
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import npy, npy_with_header, random_images

extents = st.integers(1, 5)


image_shapes = st.tuples(extents, extents, st.integers(1, 3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("arrays")


def stored_shapes(image_shape):
    height, width, channels = image_shape
    shapes = [image_shape, (math.prod(image_shape),)]
    return st.sampled_from(shapes + [(height, width)] * (channels == 1))


@settings(deadline=None)
@given(
    image_shapes, st.integers(0, 20), st.sampled_from([(1, 0), (2, 0), (3, 0)]), st.booleans(), st.booleans(), st.data()
)
def test_any_rows_equal_those_of_numpy(folder, image_shape, rows, version, fortran, as_idx, data):
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
        assert block.unreadable == []


def rewrite(path):
    """Writes the same bytes, and restores the modification time."""
    state = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def copy(path):
    shutil.copy2(path, path.with_name("copy"))
    os.replace(path.with_name("copy"), path)


@pytest.mark.parametrize("change", [rewrite, copy, os.utime])
def test_digest_changes_with_the_state_of_the_file(tmp_path, change):
    path = tmp_path / "images.npy"
    before = opened(path, npy(random_images(5))).sha256
    assert opened(path).sha256 == before
    change(path)
    assert opened(path).sha256 != before


@given(image_shapes, image_shapes)
def test_only_images_of_the_models_shape_fit(folder, stored, wanted):
    assert opened(folder / "fit.npy", npy(random_images(2, stored))).fits(wanted) == (stored == wanted)


def test_grey_images_fit_without_a_channel_and_colour_images_do_not(folder):
    images = opened(folder / "grey.npy", npy(random_images(2, (4, 3, 1))[..., 0]))
    assert images.fits((4, 3, 1))
    assert not images.fits((4, 3, 3))
    assert not images.fits((3, 4, 1))


def test_every_mnist_image_equals_the_bytes_of_the_file(mnist_dir, tmp_path):
    packed = mnist_dir / "t10k-images-idx3-ubyte.gz"
    raw = gzip.decompress(packed.read_bytes())
    expected = np.frombuffer(raw, np.uint8, offset=16).reshape(10_000, 28, 28, 1)
    for images in (opened(packed), opened(tmp_path / "images", raw)):
        block = images.read(0, images.rows, (28, 28, 1))
        np.testing.assert_array_equal(block.images, expected)


@pytest.mark.parametrize("descr", ["'|u1'", "'<u1'", "'>u1'", "'u1'", "'=u1'"])
def test_byte_order_of_uint8_is_ignored(tmp_path, descr):
    content = npy_with_header(header(descr=descr), IMAGES.tobytes())
    np.testing.assert_array_equal(np.load(io.BytesIO(content)), IMAGES)
    np.testing.assert_array_equal(opened(tmp_path / "i.npy", content).read(0, 2, (4, 3, 2)).images, IMAGES)


def test_header_by_python_2_is_read_without_a_warning(tmp_path):
    content = npy_with_header(header("(2L, 4L, 3L, 2L)"), IMAGES.tobytes())
    np.testing.assert_array_equal(opened(tmp_path / "i.npy", content).read(0, 2, (4, 3, 2)).images, IMAGES)


@pytest.mark.parametrize("stored", [(4, 3, 2), (24,)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_empty_array_has_no_rows(tmp_path, stored, order):
    images = opened(tmp_path / "images.npy", npy(np.zeros((0, *stored), np.uint8, order)))
    assert images.rows == 0
    assert images.read(0, 0, (4, 3, 2)).images.shape == (0, 4, 3, 2)


def test_one_row_in_fortran_order_is_read(tmp_path):
    row = random_images(1).reshape(1, 24)
    images = opened(tmp_path / "i.npy", npy_with_header(header("(1, 24)", order="True"), row.tobytes()))
    np.testing.assert_array_equal(images.read(0, 1, (4, 3, 2)).images, row.reshape(1, 4, 3, 2))


def test_fortran_order_takes_the_memory_of_a_few_blocks(tmp_path):
    import tracemalloc

    rows, block = 20_000, 200
    images = opened(tmp_path / "i.npy", npy(np.asfortranarray(random_images(rows, (10, 10, 1)))))
    tracemalloc.start()
    images.read(7_000, 7_000 + block, (10, 10, 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * block * 100 + 50_000


@pytest.mark.parametrize("stored", [(4, 3), (4, 2, 3), (3, 4, 2), (2, 3, 4), (23,), (25,)])
def test_images_of_another_shape_are_refused_with_both_shapes(tmp_path, stored):
    images = opened(tmp_path / "images.npy", npy(np.zeros((5, *stored), np.uint8)))
    for refused in (lambda: images.require_fit((4, 3, 2)), lambda: images.read(0, 2, (4, 3, 2))):
        with pytest.raises(InputError, match="resize them to fit") as caught:
            refused()
        assert str(stored) in str(caught.value)
        assert "(4, 3, 2)" in str(caught.value)
