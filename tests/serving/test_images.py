"""images: blocks of a file equal what numpy.load gives, and what is no file of images is refused."""

from __future__ import annotations

import io
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import InputError
from serving.images import open_images
from tests.serving.tiny_bundle import npy, npy_with_header, random_images

extents = st.integers(1, 5)
image_shapes = st.tuples(extents, extents, st.integers(1, 3))
HUGE = 10**12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


def stored_shapes(image_shape):
    height, width, channels = image_shape
    shapes = [image_shape, (math.prod(image_shape),)]
    return st.sampled_from(shapes + [(height, width)] * (channels == 1))


@settings(deadline=None)
@given(image_shapes, st.integers(0, 20), st.integers(1, 25), st.sampled_from([(1, 0), (2, 0)]), st.data())
def test_blocks_are_what_numpy_loads(folder, image_shape, rows, block_rows, version, data):
    stored = data.draw(stored_shapes(image_shape))
    path = folder / "images.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, random_images(rows, image_shape).reshape(rows, *stored), version)
    images = open_images(path)
    assert (images.rows, images.shape) == (rows, (rows, *stored))
    blocks = list(images.blocks(block_rows, image_shape))
    assert [len(block) for block in blocks[:-1]] == [block_rows] * (len(blocks) - 1)
    assert all(block.dtype == np.uint8 and 0 < len(block) <= block_rows for block in blocks)
    read = np.concatenate([np.empty((0, *image_shape), np.uint8), *blocks])
    np.testing.assert_array_equal(read, np.load(path).reshape(rows, *image_shape))


@given(image_shapes, image_shapes)
def test_only_images_of_the_models_shape_fit(folder, stored, wanted):
    path = folder / "fit.npy"
    np.save(path, random_images(2, stored))
    images = open_images(path)
    assert images.fits(wanted) == (stored == wanted)


def test_grey_images_need_no_channel_and_coloured_ones_do(folder):
    path = folder / "grey.npy"
    np.save(path, random_images(2, (4, 3, 1))[..., 0])
    assert open_images(path).fits((4, 3, 1))
    assert not open_images(path).fits((4, 3, 3))
    assert not open_images(path).fits((3, 4, 1))


def refusal(path, content=None):
    """The message with which a file is refused: one line that names the file."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_images(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def zipped(array):
    file = io.BytesIO()
    np.savez(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "save the images with numpy.save"),
        (b"index,label\n0,7\n", "save the images with numpy.save"),
        (b"\x93NUMPY\x09\x00", "save the images with numpy.save"),
        (zipped(random_images(2)), "save the images with numpy.save"),
        (npy(random_images(2))[:30], "save the images with numpy.save"),
        (npy(random_images(2).astype(np.float32)), 'float32, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(random_images(2) / 255), "multiplying by 255"),
        (npy(random_images(2).astype(np.int64)), 'int64, the model takes uint8 (0 to 255): save them with .astype'),
        (npy(random_images(2) > 0), "bool, the model takes uint8"),
        (npy(np.array([None, "x"], object)), "object, the model takes uint8 (0 to 255): save raw pixels"),
        (npy(np.zeros(2, [("red", np.uint8), ("green", np.uint8)])), "save raw pixels"),
        (npy(np.zeros((2, 4), "U3")), "save raw pixels"),
        (npy(random_images(2).ravel()), "reshape it"),
        (npy(random_images(2)[None]), "reshape it"),
        (npy(np.uint8(7)), "reshape it"),
        (npy(np.asfortranarray(random_images(2))), "numpy.ascontiguousarray"),
        (npy(random_images(2))[:-1], "47 bytes of pixels, its header says 48"),
        (npy(random_images(2)) + b"\n", "49 bytes of pixels, its header says 48"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_images_is_refused_with_what_to_do(tmp_path, content, advice):
    assert advice in refusal(tmp_path / "images.npy", content)


def header(shape="(2, 4, 3, 2)", descr="'|u1'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def test_header_made_by_hand_is_one_that_numpy_reads(tmp_path):
    content = npy_with_header(header(), bytes(48))
    np.testing.assert_array_equal(np.load(io.BytesIO(content)), np.zeros((2, 4, 3, 2), np.uint8))
    (tmp_path / "images.npy").write_bytes(content)
    assert open_images(tmp_path / "images.npy").shape == (2, 4, 3, 2)


def test_header_that_claims_more_than_there_is_is_refused_before_memory_is_taken(tmp_path):
    message = refusal(tmp_path / "images.npy", npy_with_header(header(f"({HUGE}, 4, 3, 2)"), bytes(48)))
    assert f"{24 * HUGE:,}" in message


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(header("(2.0, 4, 3, 2)"), id="fractional-shape"),
        pytest.param(header("48"), id="shape-is-a-number"),
        pytest.param(header(descr="'no type'"), id="no-type"),
        pytest.param(header(descr="7"), id="type-is-a-number"),
        pytest.param(header(order="'yes'"), id="order-is-a-word"),
        pytest.param("{}\n", id="empty"),
        pytest.param("[1, 2]\n", id="list"),
        pytest.param("os.abort()\n", id="code"),
        pytest.param("{'descr': (\n", id="open-bracket"),
        pytest.param("{'descr': '''\n", id="open-string"),
        pytest.param("  1\n 2\n", id="indented"),
        pytest.param("(" * 900 + "\n", id="nested"),
        pytest.param(header() + " " * 5000 + "\n", id="long"),
    ],
)
def test_damaged_header_is_refused(tmp_path, damaged):
    refusal(tmp_path / "images.npy", npy_with_header(damaged, bytes(48)))


def test_missing_file_and_folder_are_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "nowhere.npy")
    assert "directory" in refusal(tmp_path)


@pytest.mark.parametrize("stored", [(4, 3), (4, 2, 3), (3, 4, 2), (2, 3, 4), (23,), (25,)])
def test_images_of_another_shape_than_the_models_are_refused_with_both(tmp_path, stored):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((5, *stored), np.uint8))
    with pytest.raises(InputError, match="resize them to fit") as caught:
        next(open_images(path).blocks(2, (4, 3, 2)))
    assert str(stored) in str(caught.value)
    assert "(4, 3, 2)" in str(caught.value)


@pytest.mark.parametrize("left_rows", [0, 3, 4, 9.5])
def test_file_cut_short_after_it_was_opened_is_refused(tmp_path, left_rows):
    path = tmp_path / "images.npy"
    np.save(path, random_images(10))
    images = open_images(path)
    os.truncate(path, images.offset_bytes + int(left_rows * 24))
    with pytest.raises(InputError, match="became shorter while it was read"):
        list(images.blocks(4, (4, 3, 2)))


def test_file_cut_short_between_two_blocks_is_refused(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, random_images(10))
    blocks = open_images(path).blocks(5, (4, 3, 2))
    np.testing.assert_array_equal(next(blocks), random_images(10)[:5])
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(InputError, match="became shorter while it was read"):
        next(blocks)


@pytest.mark.parametrize("stored", [(4, 3, 2), (24,)])
def test_no_images_are_no_blocks(tmp_path, stored):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((0, *stored), np.uint8))
    images = open_images(path)
    assert images.rows == 0
    assert list(images.blocks(4, (4, 3, 2))) == []


def test_order_of_storage_does_not_matter_where_there_is_one_way_only(tmp_path):
    path = tmp_path / "images.npy"
    row = random_images(1).reshape(1, 24)
    path.write_bytes(npy_with_header(header("(1, 24)", order="True"), row.tobytes()))
    np.testing.assert_array_equal(np.load(path), row)
    np.testing.assert_array_equal(next(open_images(path).blocks(1, (4, 3, 2))), row.reshape(1, 4, 3, 2))
