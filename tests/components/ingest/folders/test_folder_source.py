"""folder_source: rows and labels are those of tfds.ImageFolder."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from components.ingest.folders.folder_source import FolderSource
from serving.errors import InputError
from tests.components.ingest.folders.picture_folders import SHAPE, plan, read_rows, refusal, save
from tests.conftest import ROOT


def by_sha256(name):
    return hashlib.sha256(name.encode()).digest()


@pytest.mark.parametrize("block_rows", [1000, 4])
def test_rows_are_those_of_image_folder(root, tmp_path, block_rows):
    import tensorflow_datasets as tfds

    # The JPEG decoders of TensorFlow and Pillow differ by a level or two, but not for a uniform grey.
    save(root / "train" / "class a" / "x.JPG", np.full(SHAPE, 77, np.uint8))
    save(root / "train" / "class b-1" / "x.jpeg", np.full(SHAPE, 99, np.uint8))
    theirs = tfds.ImageFolder(str(root), shape=SHAPE)
    planned = plan(root, tmp_path, block_rows=block_rows)
    assert list(planned.class_names) == theirs.info.features["label"].names
    assert planned.image_shape == SHAPE
    for split in ("train", "test"):
        rows = list(tfds.as_numpy(theirs.as_dataset(split=split)))
        images, labels, files = read_rows(planned, split)
        np.testing.assert_array_equal(images, np.stack([row["image"] for row in rows]))
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
        assert labels.tolist() == [int(row["label"]) for row in rows]
        assert [str(root / file) for file in files] == [row["image/filename"].decode() for row in rows]


def test_new_picture_moves_hardly_any_other_between_train_and_test(flat, tmp_path):
    before = plan(flat, tmp_path)
    sides = {split: set(read_rows(before, split)[2]) for split in ("train", "test")}
    assert [len(side) for side in sides.values()] == [24, 6]
    # Both splits have both classes, although the names of one class sort first.
    assert {file[0] for file in sides["test"]} == {"a", "b"}
    order = sorted((str(file.relative_to(flat)) for file in flat.rglob("*.png")), key=by_sha256)
    assert read_rows(before, "train")[2] == order[:24]
    save(flat / "a" / "00000.png")
    after = {split: set(read_rows(plan(flat, tmp_path), split)[2]) for split in ("train", "test")}
    moved = sides["train"] & after["test"] | sides["test"] & after["train"]
    assert len(moved) <= 1
    assert "a/00000.png" in after["train"] | after["test"]


def test_files_name_the_rows(flat, tmp_path):
    planned = plan(flat, tmp_path)
    assert planned.class_names == ("a", "b")
    for split in ("train", "test"):
        for image, label, file in zip(*read_rows(planned, split), strict=True):
            np.testing.assert_array_equal(image[..., 0], np.asarray(Image.open(flat / file)))
            assert planned.class_names[label] == file.split("/")[0]


def test_slices_keep_the_order(flat, tmp_path):
    whole = read_rows(plan(flat, tmp_path, train_split="train[:20]", test_split="train[20:]"), "train")[2]
    part = plan(flat, tmp_path, train_split="train[5:9]+train[15:20]", test_split="train[20:]", block_rows=3)
    assert read_rows(part, "train")[2] == whole[5:9] + whole[15:20]


def test_version_is_the_digest_of_the_content(root, tmp_path):
    planned = plan(root, tmp_path)
    content = FolderSource(root).fingerprint()["content"]
    assert (planned.dataset, planned.version) == ("folder:shapes", content[:12])
    assert FolderSource(root).prepare_folder is None
    assert FolderSource(root).missing_reason() is None
    assert FolderSource(root).prepare() is None
    assert FolderSource(root).model.startswith("shapes-")
    assert pickle.loads(pickle.dumps(FolderSource(root, tmp_path))) == FolderSource(root, tmp_path)


def test_fingerprint_depends_on_names_bytes_and_empty_classes(root, tmp_path):
    seen = [FolderSource(root, tmp_path / "memory").fingerprint()]
    shutil.copytree(root, tmp_path / "elsewhere")
    assert FolderSource(tmp_path / "elsewhere", tmp_path / "memory").fingerprint() == seen[0]

    def changed(change):
        change()
        seen.append(FolderSource(root, tmp_path / "memory").fingerprint())
        assert seen[-1] not in seen[:-1]

    first = root / "train" / "class a" / "0.png"
    changed(lambda: save(first))
    changed(lambda: first.rename(first.with_name("00.png")))
    changed(lambda: first.with_name("00.png").rename(root / "train" / "class b" / "00.png"))
    changed(lambda: (root / "train" / "class d").mkdir())
    changed(lambda: (root / "train" / "class b" / "README.txt").write_text("text"))
    (root / "train" / "class b" / ".hidden.png").write_text("text")
    assert FolderSource(root, tmp_path / "memory").fingerprint() == seen[-1]
    (root / "test" / "class c" / "0.png").chmod(0)
    if os.geteuid():
        with pytest.raises(InputError, match=r"0\.png cannot be read"):
            FolderSource(root).fingerprint()


def test_fingerprint_imports_no_large_library(root):
    code = (
        "import sys, pathlib; from components.ingest.folders.folder_source import FolderSource;"
        f"FolderSource(pathlib.Path({str(root)!r}), None).fingerprint();"
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'PIL', 'apache_beam') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_other_number_of_classes_is_refused(flat, tmp_path):
    assert plan(flat, tmp_path, classes=2).class_names == ("a", "b")
    assert "--ingest.classes 3: " in refusal(flat, tmp_path, classes=3)


def test_picture_of_another_size_is_named_with_the_option_that_resizes(flat, tmp_path):
    save(flat / "a" / "odd.png", shape=(9, 5, 1))
    message = refusal(flat, tmp_path)
    assert (
        "1 of 31 images cannot be used: 1 of another size (a/odd.png is 5×9 pixels, the most frequent size is 6×4 "
        "(width × height): correct it, or resize all with --ingest.resize 4 6)" in message
    )
    planned = plan(flat, tmp_path, resize=(4, 6))
    assert planned.image_shape == SHAPE
    images, _, files = next(
        rows for rows in (read_rows(planned, "train"), read_rows(planned, "test")) if "a/odd.png" in rows[2]
    )
    odd = Image.open(flat / "a" / "odd.png").resize((6, 4), Image.Resampling.BILINEAR, reducing_gap=1.0)
    np.testing.assert_array_equal(images[files.index("a/odd.png"), ..., 0], np.asarray(odd))


def test_one_coloured_picture_makes_all_images_coloured(flat, tmp_path):
    colours = save(flat / "a" / "colour.jpg", shape=(4, 6, 3), quality=100)
    assert colours.shape[2] == 3
    planned = plan(flat, tmp_path)
    assert planned.image_shape == (4, 6, 3)
    for split in ("train", "test"):
        images, _, files = read_rows(planned, split)
        grey = images[[file != "a/colour.jpg" for file in files]]
        assert (grey == grey[..., :1]).all()


def test_set_without_a_valid_picture_is_refused(tmp_path):
    (tmp_path / "set" / "a").mkdir(parents=True)
    for row in range(30):
        (tmp_path / "set" / "a" / f"{row}.png").write_text("nothing")
    message = refusal(tmp_path / "set", tmp_path)
    assert "30 of 30 images cannot be used: 30 that are not pictures (a/0.png is not a picture, but starts" in message


def test_names_of_any_bytes_and_links_are_read(root, tmp_path):
    folder = os.fsencode(root / "train") + b"/caf\xe9"
    os.mkdir(folder)
    image = save(tmp_path / "linked.png")
    names = [b"a b.png", "ü, 花.png".encode(), b"\xff\xfe.png", b"line\nbreak.png"]
    for name in names:
        os.symlink(tmp_path / "linked.png", folder + b"/" + name)
    fingerprint = FolderSource(root, tmp_path / "memory").fingerprint()
    assert FolderSource(root, tmp_path / "memory").fingerprint() == fingerprint
    planned = plan(root, tmp_path)
    assert planned.class_names[0] == "caf\\xe9"
    images, labels, files = read_rows(planned, "train")
    assert (labels == 0).sum() == 4
    for row in np.flatnonzero(labels == 0):
        np.testing.assert_array_equal(images[row], image)
    assert {"train/caf\\xe9/\\xff\\xfe.png", "train/caf\\xe9/ü, 花.png"} < set(files)
    json.dumps(planned.class_names, ensure_ascii=False).encode()
    save(tmp_path / "linked.png")
    assert FolderSource(root, tmp_path / "memory").fingerprint() != fingerprint
