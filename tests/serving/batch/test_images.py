"""images: files, folders and patterns become one source, with the rows in the order of the inputs."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.engine.source_code import library_versions
from serving.batch.images import find_images
from serving.errors import InputError
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import npy, random_images

SHAPE = (4, 3, 1)
IMAGES = random_images(40, SHAPE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images 0 to 39, in files of every kind."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "0.npy").write_bytes(npy(IMAGES[:7]))
    (folder / "1.npy").write_bytes(npy(np.asfortranarray(IMAGES[7:10])))
    (folder / "2.npy").write_bytes(npy(IMAGES[:0]))
    (folder / "3.idx").write_bytes(idx(IMAGES[10:15, ..., 0]))
    (folder / "4.gz").write_bytes(gzip.compress(idx(IMAGES[15:20]), mtime=0))
    (folder / "5").mkdir()
    for row in range(20, 30):
        Image.fromarray(IMAGES[row, ..., 0]).save(folder / "5" / f"{row}.png")
    for row in range(30, 33):
        Image.fromarray(IMAGES[row, ..., 0]).save(folder / f"6-{row}.png")
    (folder / "7.npy").write_bytes(npy(IMAGES[33:].reshape(7, 12)))
    return folder


KINDS = ["0.npy", "1.npy", "2.npy", "3.idx", "4.gz", "5", "6-*.png", "7.npy"]


def inputs(folder, *names):
    return [str(folder / name) for name in names]


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_rows_are_in_the_order_of_the_inputs(folder, start, stop):
    start, stop = sorted((start, stop))
    images = find_images(inputs(folder, *KINDS))
    assert images.rows == 40
    block = images.read(start, stop, SHAPE)
    np.testing.assert_array_equal(block.images, IMAGES[start:stop])
    assert len(images.names(start, stop)) == stop - start
    images.require_fit(SHAPE)
    assert images.fits(SHAPE)
    assert not images.fits((3, 4, 1))
    images.require_unchanged()


def test_pattern_is_expanded_in_alphabetical_order(folder):
    images = find_images(inputs(folder, "[07]*.npy"))
    np.testing.assert_array_equal(images.read(0, 14, SHAPE).images, np.concatenate([IMAGES[:7], IMAGES[33:]]))
    assert [path.name for path in images.paths] == ["0.npy", "7.npy"]
    np.testing.assert_array_equal(find_images([f"{folder}/**/0.npy"]).read(0, 7, SHAPE).images, IMAGES[:7])
    np.testing.assert_array_equal(
        find_images([f"{folder}/**/2?.png"]).read(0, 10, SHAPE).images,
        IMAGES[20:30],
    )


def test_paths_and_names_are_those_of_the_inputs(folder):
    images = find_images(inputs(folder, "5", "0.npy"))
    assert images.named
    assert images.names(8, 12) == [*inputs(folder, "5/28.png", "5/29.png"), *inputs(folder, "0.npy", "0.npy")]
    assert len(images.paths) == 11
    alone = find_images(inputs(folder, "0.npy", "1.npy"))
    assert not alone.named
    assert alone.described == f"{folder}/0.npy with images of shape (4, 3, 1) and the other inputs"


def test_digest_of_joined_inputs_depends_on_each_and_their_order(folder):
    names = inputs(folder, "0.npy", "1.npy", "3.idx")
    before = find_images(names).sha256
    assert find_images(names).sha256 == before
    assert len({before, find_images(names[::-1]).sha256, find_images(names[:2]).sha256}) == 3
    os.utime(folder / "1.npy")
    assert find_images(names).sha256 != before


def test_same_file_twice_is_read_twice(folder):
    images = find_images(inputs(folder, "0.npy", "0.npy", "5", "5"))
    block = images.read(0, 34, SHAPE)
    np.testing.assert_array_equal(block.images[7:14], IMAGES[:7])
    np.testing.assert_array_equal(block.images[24:], IMAGES[20:30])


def test_existing_path_is_not_a_pattern(tmp_path):
    (tmp_path / "night[1].npy").write_bytes(npy(IMAGES[:2]))
    (tmp_path / "night1.npy").write_bytes(npy(IMAGES[:5]))
    assert find_images([str(tmp_path / "night[1].npy")]).rows == 2
    (tmp_path / "night[1].npy").unlink()
    assert find_images([str(tmp_path / "night[1].npy")]).rows == 5


def test_kind_is_recognised_by_the_bytes_not_the_name(tmp_path):
    contents = {"a.png": npy(IMAGES[:2]), "b.gz": idx(IMAGES[2:4]), "c.npy": gzip.compress(idx(IMAGES[4:6]), mtime=0)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    Image.fromarray(IMAGES[6, ..., 0]).save(tmp_path / "d.idx", "PNG")
    for skip_bad in (False, True):
        images = find_images(inputs(tmp_path, "a.png", "b.gz", "c.npy", "d.idx"), skip_bad)
        np.testing.assert_array_equal(images.read(0, 7, SHAPE).images, IMAGES[:7])


def test_bad_pictures_are_listed_with_their_row_in_the_whole_input(folder, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    given_ = [*inputs(folder, "0.npy", "5"), str(tmp_path / "bad.png"), *inputs(folder, "6-30.png", "0.npy")]
    images = find_images(given_, skip_bad=True)
    block = images.read(5, 26, SHAPE)
    assert [row for row, _ in block.unreadable] == [17]
    assert block.unreadable[0][1].startswith(str(tmp_path / "bad.png"))
    expected = np.concatenate([IMAGES[:7], IMAGES[20:30], 0 * IMAGES[:1], IMAGES[30:31], IMAGES[:7]])
    np.testing.assert_array_equal(block.images, expected[5:26])
    with pytest.raises(InputError, match=r"bad\.png is not a .npy or IDX file, but starts with"):
        find_images(given_)


def test_part_that_does_not_fit_is_named(folder, tmp_path):
    (tmp_path / "wide.npy").write_bytes(npy(random_images(2, (3, 4, 1))))
    images = find_images([*inputs(folder, "0.npy"), str(tmp_path / "wide.npy")])
    assert not images.fits(SHAPE)
    for refused in (lambda: images.require_fit(SHAPE), lambda: images.read(0, 9, SHAPE)):
        with pytest.raises(InputError, match=r"wide\.npy holds images of shape \(3, 4, 1\)"):
            refused()


def test_part_that_changed_is_named(folder, tmp_path):
    (tmp_path / "new.npy").write_bytes(npy(IMAGES[:3]))
    images = find_images([*inputs(folder, "0.npy"), str(tmp_path / "new.npy")])
    os.utime(tmp_path / "new.npy", ns=(0, 1))
    with pytest.raises(InputError, match=r"new\.npy was changed while it was read"):
        images.require_unchanged()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere.npy", "nowhere.npy cannot be read: No such file or directory: give a .npy file of uint8 images"),
        ("nowhere-*.npy", "matches no file: give a .npy file of uint8 images"),
        ("empty", "holds no pictures"),
        ("text.txt", "is not a .npy or IDX file, but starts with b'hello'"),
        ("labels.npy", "has shape (3,), as labels have"),
        ("dangling.npy", "cannot be read: No such file"),
    ],
)
def test_inputs_without_images_are_refused(tmp_path, name, reason):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "labels.npy").write_bytes(npy(np.zeros(3, np.uint8)))
    (tmp_path / "dangling.npy").symlink_to("nowhere")
    for skip_bad in (False, True):
        with pytest.raises(InputError) as caught:
            find_images([str(tmp_path / name)], skip_bad)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert reason in str(caught.value)


def test_empty_list_of_inputs_is_refused():
    with pytest.raises(InputError, match=r"no images are named: give a \.npy file"):
        find_images([])


def test_too_many_open_files_are_refused_with_advice(folder):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 20, limits[1]))
    try:
        with pytest.raises(InputError, match=r"Too many open files: give fewer files at once, or raise `ulimit -n`"):
            find_images(inputs(folder, "0.npy") * 40)
        assert find_images(inputs(folder, "5") * 40).read(0, 400, SHAPE).images.any()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("component", ["evaluate", "export", "promote"])
def test_key_of_a_step_does_not_depend_on_how_pictures_are_read(component):
    assert "PIL" not in library_versions(f"components.{component}")


def test_digest_includes_the_names_of_arrays_beside_pictures(folder):
    os.link(folder / "0.npy", folder / "alias.npy")
    arrays = [find_images(inputs(folder, name, "1.npy")).sha256 for name in ("0.npy", "alias.npy")]
    mixed = [find_images(inputs(folder, name, "5/28.png")).sha256 for name in ("0.npy", "alias.npy")]
    assert arrays[0] == arrays[1]
    assert mixed[0] != mixed[1]
