"""folder: rows and labels are those of tfds.ImageFolder, and nothing that is left out is left out in silence."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.sources.content import content_digest
from components.sources.folder import Folder
from components.sources.source import Wanted
from serving.errors import InputError
from tests.serving.inputs.files_by_hand import GREY, PALETTE, RGB, chunk, palette, png

ALL = Wanted(train_split=None, test_split=None, block_rows=1000, resize=None, classes=None)
RANDOM = np.random.default_rng(5)
SHAPE = (4, 6, 1)


def wanted(**changes):
    return Wanted(**{**vars(ALL), **changes})


def save(file, image=None, shape=SHAPE, **options):
    """A picture of random pixels, and these."""
    image = RANDOM.integers(0, 256, shape, np.uint8) if image is None else image
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, **options)
    return image


@pytest.fixture
def root(tmp_path):
    """Two splits of three classes, of which one has no training picture."""
    root = tmp_path / "shapes"
    for row in range(7):
        for split, classes in (("train", "ab"), ("test", "abc")):
            for name in classes:
                save(root / split / f"class {name}" / f"{row}.png")
    (root / "train" / "class c").mkdir()
    return root


@pytest.fixture
def flat(tmp_path):
    """Thirty pictures in two class folders."""
    root = tmp_path / "flat"
    for row in range(30):
        save(root / "ab"[row % 2] / f"{row}.png")
    return root


def opened(root, tmp_path, **changes):
    return Folder(root, None).open(wanted(**changes), tmp_path)


def read(found, split):
    slices = [piece for piece in found.slices if piece.split == split]
    assert [piece.index for piece in slices] == list(range(len(slices)))
    parts = [pickle.loads(pickle.dumps(piece)).read() for piece in slices]
    files = [file for piece in slices for file in piece.files]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts]), files


def refusal(root, tmp_path, **changes):
    with pytest.raises(InputError) as caught:
        [piece.read() for piece in opened(root, tmp_path, **changes).slices]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def by_sha256(name):
    return hashlib.sha256(name.encode()).digest()


@pytest.mark.parametrize("block_rows", [1000, 4])
def test_rows_are_those_of_image_folder(root, tmp_path, block_rows):
    import tensorflow_datasets as tfds

    # TensorFlow's decoder rounds JPEG's waves otherwise than Pillow's, by a level or two; of one grey there are none.
    save(root / "train" / "class a" / "x.JPG", np.full(SHAPE, 77, np.uint8))
    save(root / "train" / "class b-1" / "x.jpeg", np.full(SHAPE, 99, np.uint8))
    theirs = tfds.ImageFolder(str(root), shape=SHAPE)
    found = opened(root, tmp_path, block_rows=block_rows)
    assert list(found.class_names) == theirs.info.features["label"].names
    assert found.image_shape == SHAPE
    for split in ("train", "test"):
        rows = list(tfds.as_numpy(theirs.as_dataset(split=split)))
        images, labels, files = read(found, split)
        np.testing.assert_array_equal(images, np.stack([row["image"] for row in rows]))
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
        assert labels.tolist() == [int(row["label"]) for row in rows]
        assert [str(root / file) for file in files] == [row["image/filename"].decode() for row in rows]


def test_folder_without_splits_is_cut_and_a_new_picture_moves_hardly_any(flat, tmp_path):
    before = opened(flat, tmp_path)
    sides = {split: set(read(before, split)[2]) for split in ("train", "test")}
    assert [len(side) for side in sides.values()] == [24, 6]
    # Both classes are on both sides, though the names of one come first.
    assert {file[0] for file in sides["test"]} == {"a", "b"}
    order = sorted((str(file.relative_to(flat)) for file in flat.rglob("*.png")), key=by_sha256)
    assert read(before, "train")[2] == order[:24]
    save(flat / "a" / "00000.png")
    after = {split: set(read(opened(flat, tmp_path), split)[2]) for split in ("train", "test")}
    moved = sides["train"] & after["test"] | sides["test"] & after["train"]
    assert len(moved) <= 1
    assert "a/00000.png" in after["train"] | after["test"]


def test_images_and_labels_are_those_of_the_named_files(flat, tmp_path):
    found = opened(flat, tmp_path)
    assert found.class_names == ("a", "b")
    for split in ("train", "test"):
        for image, label, file in zip(*read(found, split), strict=True):
            np.testing.assert_array_equal(image[..., 0], np.asarray(Image.open(flat / file)))
            assert found.class_names[label] == file.split("/")[0]


def test_slicing_takes_rows_of_the_order(flat, tmp_path):
    whole = read(opened(flat, tmp_path, train_split="train[:20]", test_split="train[20:]"), "train")[2]
    part = opened(flat, tmp_path, train_split="train[5:9]+train[15:20]", test_split="train[20:]", block_rows=3)
    assert read(part, "train")[2] == whole[5:9] + whole[15:20]


def test_one_name_and_version_for_one_content(root, tmp_path):
    found = opened(root, tmp_path)
    content = Folder(root, None).fingerprint()["content"]
    assert (found.dataset, found.version) == ("folder:shapes", content[:12])
    assert Folder(root, None).written is None
    assert Folder(root, None).lack() is None
    assert Folder(root, None).prepare() is None
    assert Folder(root, None).model.startswith("shapes-")
    assert pickle.loads(pickle.dumps(Folder(root, tmp_path))) == Folder(root, tmp_path)


def test_fingerprint_is_of_names_bytes_and_empty_classes(root, tmp_path):
    seen = [Folder(root, tmp_path / "memory").fingerprint()]
    shutil.copytree(root, tmp_path / "elsewhere")
    assert Folder(tmp_path / "elsewhere", tmp_path / "memory").fingerprint() == seen[0]

    def changed(change):
        change()
        seen.append(Folder(root, tmp_path / "memory").fingerprint())
        assert seen[-1] not in seen[:-1]

    first = root / "train" / "class a" / "0.png"
    changed(lambda: save(first))
    changed(lambda: first.rename(first.with_name("00.png")))
    changed(lambda: first.with_name("00.png").rename(root / "train" / "class b" / "00.png"))
    changed(lambda: (root / "train" / "class d").mkdir())
    (root / "train" / "class b" / "README.txt").write_text("no picture")
    (root / "train" / "class b" / ".hidden.png").write_text("no picture")
    assert Folder(root, tmp_path / "memory").fingerprint() == seen[-1]
    (root / "test" / "class c" / "0.png").chmod(0)
    if os.geteuid():
        with pytest.raises(InputError, match=r"0\.png cannot be read"):
            Folder(root, None).fingerprint()


def test_planning_imports_no_library(root):
    code = (
        "import sys, pathlib; from components.sources.folder import Folder;"
        f"Folder(pathlib.Path({str(root)!r}), None).fingerprint();"
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'PIL', 'apache_beam') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, check=True)
    assert said.stdout.strip() == b"[]"


def test_what_is_no_picture_is_left_out(root, tmp_path):
    before = read(opened(root, tmp_path), "train")[2]
    for name in ("labels.csv", ".DS_Store", "train/README.txt", "train/class a/notes.md", "train/class a/.x.png"):
        (root / name).write_text("no picture")
    (root / ".git" / "class a").mkdir(parents=True)
    save(root / ".git" / "class a" / "x.png")
    assert read(opened(root, tmp_path), "train")[2] == before


@pytest.mark.parametrize("suffix", ["bmp", "GIF", "webp", "tif", "tiff", "avif", "heic"])
def test_pictures_of_other_kinds_are_refused(root, tmp_path, suffix):
    (root / "train" / "class a" / f"x.{suffix}").write_bytes(b"BM")
    message = refusal(root, tmp_path)
    assert f"train/class a/x.{suffix} is neither PNG nor JPEG: convert it to PNG" in message
    with pytest.raises(InputError):
        Folder(root, None).fingerprint()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.png", "x.png is in no class folder"),
        ("train/x.png", "mixes layouts: train/x.png is in one folder, test/class a/0.png in two"),
        ("other/x.png", "mixes layouts: other/x.png"),
        ("train/class a/more/x.png", "train/class a/more/x.png lies 3 folders deep: the layout is"),
    ],
)
def test_pictures_in_other_places_are_refused(root, tmp_path, name, message):
    save(root / name)
    assert message in refusal(root, tmp_path)


def test_empty_places_are_refused(root, tmp_path):
    (root / "validation" / "class a").mkdir(parents=True)
    assert "shapes/validation holds no picture" in refusal(root, tmp_path)
    empty = tmp_path / "empty" / "train" / "class a"
    empty.mkdir(parents=True)
    assert "empty holds no pictures" in refusal(tmp_path / "empty", tmp_path)
    with pytest.raises(InputError, match=r"shape does not exist: did you mean .*shapes"):
        Folder(tmp_path / "shape", None).fingerprint()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file: give the folder"):
        Folder(tmp_path / "file", None).prepare()


def test_empty_class_has_its_label(flat, tmp_path):
    (flat / "aa").mkdir()
    found = opened(flat, tmp_path)
    assert found.class_names == ("a", "aa", "b")
    assert set(read(found, "train")[1].tolist()) == {0, 2}
    assert json.loads(Folder(flat, None).fingerprint()["empty classes"]) == ["aa"]


def test_other_number_of_classes_is_refused(flat, tmp_path):
    assert opened(flat, tmp_path, classes=2).class_names == ("a", "b")
    assert "--ingest.classes 3: " in refusal(flat, tmp_path, classes=3)


def test_sizes_that_differ_are_named_with_the_way_out(flat, tmp_path):
    save(flat / "a" / "odd.png", shape=(9, 5, 1))
    message = refusal(flat, tmp_path)
    assert (
        "a/odd.png is 5×9 pixels, 30 of 31 pictures are 6×4 (width × height): mend it, or give --ingest.resize 4 6"
        in message
    )
    found = opened(flat, tmp_path, resize=(4, 6))
    assert found.image_shape == SHAPE
    images, _, files = next(rows for rows in (read(found, "train"), read(found, "test")) if "a/odd.png" in rows[2])
    odd = Image.open(flat / "a" / "odd.png").resize((6, 4), Image.Resampling.BILINEAR)
    off = images[files.index("a/odd.png"), ..., 0].astype(int) - np.asarray(odd)
    assert np.abs(off).max() <= 1


def test_every_picture_is_resized_into_its_own_row(tmp_path, monkeypatch):
    import components.sources.folder

    monkeypatch.setattr(components.sources.folder, "WAITING_BYTES", 100)
    root = tmp_path / "levels"
    for row in range(40):
        side = 3 + row % 3
        save(root / "a" / f"{row}.png", np.full((side, side + 1, 1), row * 5, np.uint8))
    images, _, files = read(opened(root, tmp_path, resize=(8, 7)), "train")
    assert images.shape == (32, 8, 7, 1)
    for image, file in zip(images, files, strict=True):
        assert (image == int(Path(file).stem) * 5).all()


def test_colour_anywhere_makes_all_coloured(flat, tmp_path):
    colours = save(flat / "a" / "colour.jpg", shape=(4, 6, 3), quality=100)
    assert colours.shape[2] == 3
    found = opened(flat, tmp_path)
    assert found.image_shape == (4, 6, 3)
    for split in ("train", "test"):
        images, _, files = read(found, split)
        grey = images[[file != "a/colour.jpg" for file in files]]
        assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize(
    ("content", "channels"),
    [
        (png(np.zeros(SHAPE, int), GREY, 1), 1),
        (png(np.zeros((4, 6, 3), int), RGB), 3),
        (png(np.ones(SHAPE, int), PALETTE, 8, palette(np.array([[1, 1, 1], [9, 9, 9]]))), 1),
        (png(np.ones(SHAPE, int), PALETTE, 8, palette(np.array([[1, 1, 1], [9, 9, 8]]))), 3),
        # Further on than a first look goes.
        (png(np.ones(SHAPE, int), PALETTE, 8, chunk(b"tEXt", b"x" * 9000) + palette(np.array([[1, 2, 3]] * 2))), 3),
    ],
    ids=["grey", "colour", "grey palette", "palette", "late palette"],
)
def test_channels_are_as_the_header_says(tmp_path, content, channels):
    for name in "abcdefgh":
        (tmp_path / "set" / "class").mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / "class" / f"{name}.png").write_bytes(content)
    found = opened(tmp_path / "set", tmp_path)
    assert found.image_shape == (4, 6, channels)
    assert read(found, "train")[0].shape == (6, 4, 6, channels)


def test_jpeg_with_much_before_its_size_is_read(tmp_path):
    root = tmp_path / "set"
    for row in range(5):
        save(root / "a" / f"{row}.jpg", shape=(4, 6, 3))
        content = (root / "a" / f"{row}.jpg").read_bytes()
        notes = b"\xff\xe1" + (60_002).to_bytes(2, "big") + b"\0" * 60_000
        (root / "a" / f"{row}.jpg").write_bytes(content[:2] + notes + content[2:])
    assert opened(root, tmp_path).image_shape == (4, 6, 3)


def test_every_damaged_picture_is_named(root, tmp_path):
    a = root / "train" / "class a"
    content = bytearray((a / "0.png").read_bytes())
    content[content.index(b"IDAT") + 8] ^= 1
    (a / "0.png").write_bytes(content)
    save(a / "1.jpg", shape=SHAPE)
    (a / "1.jpg").write_bytes((a / "1.jpg").read_bytes()[:-40])
    (a / "2.png").write_bytes(png(np.zeros(SHAPE, int), GREY, 16))
    (a / "3.png").write_bytes(b"")
    (a / "4.png").write_text("<html>")
    message = refusal(root, tmp_path)
    assert message.startswith(f"{root} holds pictures that cannot be taken: ")
    for why in (
        "train/class a/0.png is a damaged PNG picture (the checksum of b'IDAT' is wrong)",
        "train/class a/1.jpg is a damaged JPEG picture (it was cut short)",
        "train/class a/2.png has 16 bits a channel, the model takes 8: save it with 8",
        "train/class a/3.png is no PNG or JPEG picture",
        "train/class a/4.png is no PNG or JPEG picture",
    ):
        assert why in message
    assert message.count("train/") == 5


def test_many_damaged_pictures_are_counted(flat, tmp_path):
    for file in flat.rglob("*.png"):
        file.write_bytes(file.read_bytes()[:-3])
    message = refusal(flat, tmp_path, train_split="train[:23]", test_split="train[23:]")
    assert message.count(".png is a damaged") == 20
    assert message.endswith("; and 3 more")


def test_set_of_no_picture_at_all_is_refused_when_it_is_opened(tmp_path):
    (tmp_path / "set" / "a").mkdir(parents=True)
    for row in range(30):
        (tmp_path / "set" / "a" / f"{row}.png").write_text("nothing")
    with pytest.raises(InputError, match=r"a/0\.png is a damaged picture.*and 10 more"):
        opened(tmp_path / "set", tmp_path)


def test_picture_that_became_smaller_is_named(flat, tmp_path):
    found = opened(flat, tmp_path)
    save(flat / found.slices[0].names[3], shape=(2, 2, 1))
    with pytest.raises(InputError, match="is 2×2 pixels, the model takes 6×4"):
        found.slices[0].read()
    (flat / found.slices[0].names[3]).unlink()
    with pytest.raises(InputError, match="No such file"):
        found.slices[0].read()


def test_picture_of_endless_size_is_not_decoded(flat, tmp_path):
    content = png(np.zeros((1, 1, 1), int), GREY)
    wide = content[:16] + (1 << 20).to_bytes(4, "big") * 2 + content[24:29]
    (flat / "a" / "0.png").write_bytes(wide + zlib.crc32(wide[12:]).to_bytes(4, "big") + content[33:])
    assert "a/0.png is 1048576×1048576 pixels, which is too much" in refusal(flat, tmp_path, resize=(4, 4))


def test_names_of_any_bytes_and_links_are_taken(root, tmp_path):
    folder = os.fsencode(root / "train") + b"/caf\xe9"
    os.mkdir(folder)
    image = save(tmp_path / "linked.png")
    names = [b"a b.png", "ü, 花.png".encode(), b"\xff\xfe.png", b"line\nbreak.png"]
    for name in names:
        os.symlink(tmp_path / "linked.png", folder + b"/" + name)
    fingerprint = Folder(root, tmp_path / "memory").fingerprint()
    assert Folder(root, tmp_path / "memory").fingerprint() == fingerprint
    found = opened(root, tmp_path)
    assert found.class_names[0] == "caf\\xe9"
    images, labels, files = read(found, "train")
    assert (labels == 0).sum() == 4
    for row in np.flatnonzero(labels == 0):
        np.testing.assert_array_equal(images[row], image)
    assert {"train/caf\\xe9/\\xff\\xfe.png", "train/caf\\xe9/ü, 花.png"} < set(files)
    json.dumps(found.class_names, ensure_ascii=False).encode()
    save(tmp_path / "linked.png")
    assert Folder(root, tmp_path / "memory").fingerprint() != fingerprint


def test_file_that_went_is_told_whatever_its_name(tmp_path):
    with pytest.raises(InputError) as caught:
        content_digest(tmp_path, [os.fsdecode(b"caf\xe9.png")], None)
    assert str(caught.value).startswith(f"{tmp_path}/caf\\xe9.png cannot be read: No such file")


def test_links_that_lead_nowhere_or_back_are_refused(root, tmp_path):
    (root / "train" / "class a" / "x.png").symlink_to(tmp_path / "gone.png")
    assert "x.png is a link to nothing" in refusal(root, tmp_path)
    (root / "train" / "class a" / "x.png").unlink()
    os.mkfifo(root / "train" / "class a" / "x.png")
    assert "x.png is a link to nothing, or a pipe" in refusal(root, tmp_path)
    (root / "train" / "class a" / "x.png").unlink()
    (root / "train" / "class a" / "back").symlink_to(root / "train")
    assert "is a link to a folder that it stands in" in refusal(root, tmp_path)
