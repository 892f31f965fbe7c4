"""pictures: one row per file, in the order of the paths; a bad picture is refused by name, or skipped and listed."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from serving.batch.folders.picture_walk import walk
from serving.batch.inputs import pictures
from serving.batch.inputs.pictures import find_pictures
from serving.errors import InputError
from tests.serving.batch.inputs.encoded_files import RGB, png
from tests.serving.tiny_bundle import random_images

SHAPE = (4, 3, 1)
IMAGES = random_images(12, SHAPE)


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures, 00.png to 11.png."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row, image in enumerate(IMAGES):
        Image.fromarray(image[..., 0]).save(folder / f"{row:02}.png")
    return folder


def source(folder, skip_bad=False):
    return find_pictures([f"{folder}/{name}" for name in walk(str(folder)).pictures], skip_bad)


def test_rows_are_the_pictures(folder):
    images = source(folder)
    assert images.rows == 12
    assert images.named
    assert list(images.paths) == [str(path) for path in sorted(folder.iterdir())]
    assert images.names(3, 5) == [str(folder / "03.png"), str(folder / "04.png")]
    images.require_fit(SHAPE)
    for start, stop in [(0, 12), (5, 7), (11, 12), (4, 4)]:
        block = images.read(start, stop, SHAPE)
        np.testing.assert_array_equal(block.images, IMAGES[start:stop])
        assert block.unreadable == []
    images.require_unchanged()


def test_digest_changes_with_names_and_states_of_files(folder):
    before = source(folder).sha256
    assert source(folder).sha256 == before
    os.link(folder / "05.png", folder / "05a.png")
    more = source(folder).sha256
    os.unlink(folder / "05.png")
    renamed = source(folder).sha256
    (folder / "05a.png").write_bytes((folder / "05a.png").read_bytes())
    assert len({before, more, renamed, source(folder).sha256}) == 4


def test_kind_is_recognised_by_the_bytes_not_the_name(folder):
    Image.fromarray(IMAGES[0, ..., 0]).save(folder / "00.jpg", "PNG")
    np.testing.assert_array_equal(source(folder).read(0, 1, SHAPE).images, IMAGES[:1])


def test_name_that_is_not_utf8_is_read_and_escaped(tmp_path):
    file = os.fsdecode(os.fsencode(tmp_path) + b"/\xffsnow\xe9.png")
    try:
        Image.fromarray(IMAGES[0, ..., 0]).save(file)
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    images = source(tmp_path)
    assert images.names(0, 1) == [f"{tmp_path}/\\xffsnow\\xe9.png"]
    np.testing.assert_array_equal(images.read(0, 1, SHAPE).images, IMAGES[:1])
    os.truncate(file, 20)
    with pytest.raises(InputError) as caught:
        source(tmp_path).read(0, 1, SHAPE)
    assert str(caught.value).startswith(f"{tmp_path}/\\xffsnow\\xe9.png is a damaged PNG picture")
    str(caught.value).encode()


def spoil(folder):
    """Makes rows 2, 5, 7, 8, 9 and 11 bad in different ways. Returns: the reason for each."""
    os.truncate(folder / "02.png", 40)
    (folder / "05.png").write_bytes(b"")
    Image.fromarray(IMAGES[0, :2, :, 0]).save(folder / "07.png")
    (folder / "08.png").write_bytes(png(random_images(1, (4, 3, 3))[0], RGB))
    (folder / "09.png").unlink()
    (folder / "09.png").symlink_to("nowhere")
    (folder / "11.png").unlink()
    os.mkfifo(folder / "11.png")
    return {
        2: "is a damaged PNG picture (it is incomplete): repair or remove it",
        5: "is not a picture, but empty: repair or remove it",
        7: "is 3×2 pixels, the model takes 3×4 (width × height): resize it to fit, or train a model with "
        "--ingest.resize, which takes all sizes with --resize",
        8: 'has colours, the model takes grey: convert it with Pillow\'s .convert("L")',
        9: "cannot be read: No such file or directory: ",
        11: "is a pipe or a device, not a file: ",
    }


def test_skipped_pictures_are_black_and_listed(folder):
    reasons = spoil(folder)
    images = source(folder, skip_bad=True)
    assert images.fits(SHAPE)
    block = images.read(1, 12, SHAPE)
    assert [row for row, _ in block.unreadable] == list(reasons)
    for row, reason in block.unreadable:
        assert reason.startswith(f"{folder}/{row:02}.png {reasons[row]}")
    expected = IMAGES.copy()
    expected[list(reasons)] = 0
    np.testing.assert_array_equal(block.images, expected[1:])
    images.require_unchanged()


@pytest.mark.parametrize("row", [2, 5, 7, 8])
def test_bad_picture_is_refused_by_name(folder, row):
    reason = spoil(folder)[row]
    for missing in (9, 11):
        (folder / f"{missing:02}.png").unlink()
    images = source(folder)
    with pytest.raises(InputError) as caught:
        images.read(row, row + 1, SHAPE)
    assert str(caught.value) == f"{folder}/{row:02}.png {reason}"


@pytest.mark.parametrize("row", [9, 11])
def test_path_that_is_not_a_file_is_refused_when_it_is_found(folder, row):
    reason = spoil(folder)[row]
    (folder / f"{20 - row:02}.png").unlink()
    with pytest.raises(InputError) as caught:
        source(folder)
    assert str(caught.value).startswith(f"{folder}/{row:02}.png {reason}")


def test_first_readable_picture_decides_the_size(folder):
    os.truncate(folder / "00.png", 30)
    images = source(folder)
    assert images.fits(SHAPE)
    assert images.fits((4, 3, 3))
    assert not images.fits((3, 4, 1))
    assert not images.fits((4, 3, 5))
    assert images.described == f"{folder}/01.png with 3×4 pixels"
    with pytest.raises(InputError, match=r"01\.png is 3×4 pixels, the model takes 4×3"):
        images.require_fit((3, 4, 1))


def test_unreadable_pictures_fit_no_model(folder):
    for file in folder.iterdir():
        file.write_bytes(b"")
    images = source(folder, skip_bad=True)
    assert not images.fits(SHAPE)
    assert images.described == f"{folder}/00.png and 11 more unreadable pictures"
    with pytest.raises(InputError, match=r"00\.png is not a picture, but"):
        images.require_fit(SHAPE)


def touch(file):
    os.utime(file, ns=(0, 1))


def grow(file):
    state = file.stat()
    with file.open("ab") as opened:
        opened.write(b"\0")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("change", [touch, grow, os.unlink])
def test_pictures_that_change_during_the_run_are_refused(folder, change):
    images, skipping = source(folder), source(folder, skip_bad=True)
    images.read(4, 5, SHAPE)
    change(folder / "04.png")
    with pytest.raises(InputError, match=r"04\.png (was changed while it was read|cannot be read)"):
        images.read(4, 5, SHAPE)
    assert [row for row, _ in skipping.read(3, 6, SHAPE).unreadable] == [4]
    for source_ in (images, skipping):
        with pytest.raises(InputError, match=r"04\.png was changed while it was read"):
            source_.require_unchanged()


def test_file_too_large_for_a_picture_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 50)
    with pytest.raises(InputError, match=r"00\.png has \d\d bytes, too many for a picture"):
        source(folder).read(0, 1, SHAPE)


def test_missing_pillow_is_named(folder, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "simplejpeg", None)
        with pytest.raises(InputError, match=r"need simplejpeg, which is not installed: pip install simplejpeg"):
            find_pictures(["a.png"], False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match="need Pillow, which is not installed: pip install pillow"):
        source(folder)


def test_several_threads_read_the_same_as_one(folder):
    spoil(folder)
    images = source(folder, skip_bad=True)
    expected = [images.read(row, row + 1, SHAPE) for row in range(12)]
    start = threading.Barrier(4)

    def read(thread):
        start.wait()
        return [images.read((row + thread) % 12, (row + thread) % 12 + 1, SHAPE) for row in range(12)]

    with ThreadPoolExecutor(4) as pool:
        for thread, blocks in enumerate(pool.map(read, range(4))):
            for row, block in enumerate(blocks):
                alone = expected[(row + thread) % 12]
                np.testing.assert_array_equal(block.images, alone.images)
                assert block.unreadable == alone.unreadable
