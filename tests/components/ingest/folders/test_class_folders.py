"""class_folders: no picture is ignored silently."""

from __future__ import annotations

import json
import os

import pytest

from components.ingest.folders.folder_source import FolderSource
from serving.errors import InputError
from tests.components.ingest.folders.picture_folders import plan, read_rows, refusal, save


def test_other_and_hidden_files_are_ignored(root, tmp_path):
    before = read_rows(plan(root, tmp_path), "train")[2]
    for name in ("labels.csv", ".DS_Store", "train/README.txt", "train/class a/notes.md", "train/class a/.x.png"):
        (root / name).write_text("text")
    (root / ".git" / "class a").mkdir(parents=True)
    save(root / ".git" / "class a" / "x.png")
    assert read_rows(plan(root, tmp_path), "train")[2] == before


def test_files_left_out_are_counted_in_the_plan(root, tmp_path):
    assert plan(root, tmp_path).left_out == {}
    for name in ("labels.csv", "train/README.txt", "train/class a/notes.txt", ".DS_Store", "train/class a/Makefile"):
        (root / name).write_text("text")
    save(root / "__MACOSX" / "class a" / "x.png")
    save(root / "train" / "@eaDir" / "0.png")
    (root / "train" / "lost+found").mkdir()
    assert plan(root, tmp_path).left_out == {
        ".csv": 1,
        ".txt": 2,
        "hidden": 1,
        "in @eaDir": 1,
        "in __MACOSX": 1,
        "without a suffix": 1,
    }
    assert plan(root, tmp_path).class_names == ("class a", "class b", "class c")


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "", "dat", "jpeg2"])
def test_pictures_are_known_by_content_whatever_their_suffix(root, tmp_path, suffix):
    before = len(read_rows(plan(root, tmp_path), "train")[2])
    file = root / "train" / "class a" / "new"
    save(file.with_suffix(".jpg"))
    file.with_suffix(".jpg").rename(file.with_suffix(f".{suffix}") if suffix else file)
    planned = plan(root, tmp_path)
    assert len(read_rows(planned, "train")[2]) == before + 1
    assert planned.left_out == {}


@pytest.mark.parametrize(("suffix", "article"), [("avif", "an"), ("heic", "a")])
def test_pictures_that_cannot_be_read_are_refused(root, tmp_path, suffix, article):
    (root / "train" / "class a" / f"x.{suffix}").write_bytes(
        b"\0\0\0\x18ftyp" + {"avif": b"avif", "heic": b"heic"}[suffix]
    )
    message = refusal(root, tmp_path)
    assert (
        f"train/class a/x.{suffix} is {article} {suffix.upper()} picture, which cannot be read: convert it to PNG"
        in message
    )


def test_pointers_name_the_command_that_fetches_the_content(root, tmp_path):
    for file in (root / "train").rglob("*.png"):
        file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    message = refusal(root, tmp_path)
    assert "14 pointers (" in message
    assert "is a Git LFS pointer without the content; " in message
    assert "and 11 more: run `git lfs pull` in its repository)" in message
    link = root / "train" / "class a" / "x.png"
    link.symlink_to("../../../.git/annex/objects/ab/cd/SHA256E-s1--2.png")
    assert "x.png is a git-annex link without the content: run `git annex get`" in refusal(root, tmp_path)


@pytest.mark.parametrize("names", [("train", "test"), ("test",), ("Train", "valid", "TEST"), ("training", "testing")])
def test_split_folders_without_class_folders_are_refused(tmp_path, names):
    for name in names:
        for row in range(4):
            save(tmp_path / "flat" / name / f"cat.{row}.png")
    message = refusal(tmp_path / "flat", tmp_path)
    assert f"{', '.join(sorted(names))} look" in message
    assert "move each picture into a folder with the name of its class, the layout is <class>/x.png or" in message


def test_class_may_have_the_name_of_a_split_beside_others(tmp_path):
    for name in ("train", "car", "bus"):
        for row in range(5):
            save(tmp_path / "vehicles" / name / f"{row}.png")
    assert plan(tmp_path / "vehicles", tmp_path).class_names == ("bus", "car", "train")


def test_folders_of_folders_that_are_no_splits_are_refused_unless_they_are_named(tmp_path):
    for alphabet in ("Balinese", "Latin"):
        for name in ("a", "b"):
            for row in range(3):
                save(tmp_path / "set" / alphabet / name / f"{row}.png")
    message = refusal(tmp_path / "set", tmp_path)
    assert (
        "holds Balinese, Latin, which hold folders of pictures and have no names of splits: give one of them" in message
    )
    assert f"folder:{tmp_path}/set/Balinese" in message
    chosen = plan(tmp_path / "set", tmp_path, train_split="Latin", test_split="Balinese")
    assert chosen.class_names == ("a", "b")
    assert plan(tmp_path / "set" / "Latin", tmp_path).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("0", "1", "10", "11", "2"), ("0", "1", "2", "10", "11")),
        (("digit-10", "digit-9", "digit-1"), ("digit-1", "digit-9", "digit-10")),
        (("02", "1", "10"), ("1", "02", "10")),
        (("b", "B2", "a"), ("B2", "a", "b")),
    ],
)
def test_numbers_in_names_of_classes_are_sorted_as_numbers(tmp_path, names, expected):
    for name in names:
        for row in range(5):
            save(tmp_path / "set" / name / f"{row}.png")
    assert plan(tmp_path / "set", tmp_path).class_names == expected


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ("caf\u00e9", "cafe\u0301", r"how accents are encoded ('cafe\u0301' and 'caf\xe9', as archives of macOS do)"),
        ("Cat", "cat", "upper and lower case"),
        ("dog ", "dog", "spaces"),
        ("big dog", "big  dog", "spaces"),
    ],
)
def test_names_that_are_the_same_for_people_are_refused(root, tmp_path, one, other, difference):
    save(root / "train" / one / "0.png")
    save(root / "test" / other / "0.png")
    message = refusal(root, tmp_path)
    assert f"which differ only in {difference}: rename one of them, or move its pictures into the other" in message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.png", "x.png is in no class folder"),
        ("train/x.png", "mixes layouts: train/x.png is in one folder, test/class a/0.png in two"),
        ("other/x.png", "mixes layouts: other/x.png"),
        ("train/class a/more/x.png", "train/class a/more/x.png is 3 folders deep: the layout is"),
    ],
)
def test_pictures_in_other_layouts_are_refused(root, tmp_path, name, message):
    save(root / name)
    assert message in refusal(root, tmp_path)


def test_empty_and_missing_folders_are_refused(root, tmp_path):
    (root / "validation" / "class a").mkdir(parents=True)
    assert "shapes/validation looks like a split, because it is beside split folders, but holds no picture" in refusal(
        root, tmp_path
    )
    empty = tmp_path / "empty" / "train" / "class a"
    empty.mkdir(parents=True)
    assert "empty holds no pictures in class folders: give <class>/x.png" in refusal(tmp_path / "empty", tmp_path)
    (empty / "x.npy").touch()
    assert "empty holds no pictures in class folders, but 1 .npy: give" in refusal(tmp_path / "empty", tmp_path)
    with pytest.raises(InputError, match=r"shape does not exist: did you mean .*shapes"):
        FolderSource(tmp_path / "shape").fingerprint()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file: give the folder"):
        FolderSource(tmp_path / "file").prepare()


def test_empty_class_has_a_label(flat, tmp_path):
    (flat / "aa").mkdir()
    planned = plan(flat, tmp_path)
    assert planned.class_names == ("a", "aa", "b")
    assert set(read_rows(planned, "train")[1].tolist()) == {0, 2}
    assert json.loads(FolderSource(flat).fingerprint()["empty classes"]) == ["aa"]


def test_broken_links_pipes_and_link_cycles_are_refused(root, tmp_path):
    (root / "train" / "class a" / "x.png").symlink_to(tmp_path / "gone.png")
    assert refusal(root, tmp_path).endswith("x.png is a link to nothing: remove it")
    for name in ("y.png", "z.png"):
        (root / "train" / "class b" / name).symlink_to(tmp_path / "gone.png")
    message = refusal(root, tmp_path)
    assert message.endswith("class a/x.png is a link to nothing: remove it; the same for 2 other files")
    for name in ("y.png", "z.png"):
        (root / "train" / "class b" / name).unlink()
    (root / "train" / "class a" / "x.png").unlink()
    os.mkfifo(root / "train" / "class a" / "x.png")
    assert "x.png is a pipe or a device: remove it" in refusal(root, tmp_path)
    (root / "train" / "class a" / "x.png").unlink()
    (root / "train" / "class a" / "back").symlink_to(root / "train")
    assert "is a link to one of its parent folders" in refusal(root, tmp_path)
