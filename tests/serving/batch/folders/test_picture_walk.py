"""picture_walk: every file is a picture, or is counted; links are followed, and loops refused."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from serving.batch.folders.picture_walk import FoundFiles, describe_left_out, irregular_reason, left_out_line, walk
from serving.errors import InputError


def save(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (3, 4)).save(file, "PNG")


def test_pictures_are_sorted_by_path_and_other_files_are_counted(tmp_path):
    there = ["b.png", "a/z.JPG", "a/b/c.Png", "a.jpeg", "a-b.JPEG", "Z.png", "w.webp", "j.jfif"]
    hidden = [".hidden.png", ".h/x.png", "a/.h/x.png", "._w.png"]
    for name in [*there, *hidden, "notes.txt", "more.TXT", "png", "x.npy", "Thumbs.db", "@eaDir/a/z.JPG/THUMB.jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    save(tmp_path / "picture")
    (tmp_path / "empty.png").mkdir()
    assert walk(str(tmp_path)) == FoundFiles(
        pictures=("Z.png", "a-b.JPEG", "a.jpeg", "a/b/c.Png", "a/z.JPG", "b.png", "j.jfif", "picture", "w.webp"),
        folders=("a", "a/b", "empty.png"),
        irregular=(),
        left_out={".db": 1, ".npy": 1, ".txt": 2, "hidden": 2, "in @eaDir": 1, "without a suffix": 1},
    )


def test_links_are_followed_and_loops_are_refused(tmp_path):
    for row in range(3):
        save(tmp_path / "folder" / f"{row}.png")
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "inner").symlink_to(tmp_path / "folder")
    (outer / "again").symlink_to(tmp_path / "folder")
    (outer / "one.png").symlink_to(tmp_path / "folder" / "0.png")
    assert len(walk(str(outer)).pictures) == 7
    (tmp_path / "folder" / "back").symlink_to(outer)
    with pytest.raises(InputError, match="is a link to one of its parent folders: remove it"):
        walk(str(outer))


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere cannot be read: No such file or directory: make it readable"):
        walk(str(tmp_path / "nowhere"))


def test_irregular_files_have_a_reason(tmp_path):
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "annex.png").symlink_to("../.git/annex/objects/x/y.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.txt").symlink_to("nowhere.txt")
    found = walk(str(tmp_path))
    assert found.irregular == found.pictures == ("annex.png", "gone.png", "pipe.png")
    assert found.left_out == {".txt": 1}
    assert [irregular_reason(str(tmp_path / name)) for name in found.irregular] == [
        "is a git-annex link without the content: run `git annex get` in its repository",
        "is a link to nothing: remove it",
        "is a pipe or a device: remove it",
    ]


def test_kinds_are_listed_by_frequency_and_the_rest_is_added_up():
    assert describe_left_out({".a": 1, ".b": 1200, "hidden": 3}) == "1,200 .b, 3 hidden, 1 .a"
    many = {f".{letter}": number for number, letter in enumerate("abcdefg", 1)}
    assert describe_left_out(many) == "7 .g, 6 .f, 5 .e, 4 .d, 3 .c, 3 others"
    assert describe_left_out({}) == ""


def test_reasons_for_what_is_left_out_include_system_folders(tmp_path):
    save(tmp_path / "a" / "x.png")
    save(tmp_path / "@eaDir" / "x.png" / "THUMB.png")
    save(tmp_path / "._x.png")
    (tmp_path / "notes.txt").touch()
    line = left_out_line(walk(str(tmp_path)).left_out)
    assert line == "left out (not read as images): 1 .txt, 1 hidden, 1 in @eaDir"


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (b"\xff\x0a any two bytes", False),
        (b"\xff\x0a", False),
        (b"\0\0\0\x0cJXL 1234", False),
        (b"\0\0\0\x0cJXL \r\n\x87\n", True),
    ],
)
def test_two_bytes_do_not_make_a_file_a_picture(tmp_path, content, taken):
    (tmp_path / "data").write_bytes(content)
    found = walk(str(tmp_path))
    assert found.pictures == (("data",) if taken else ())
    assert found.left_out == ({} if taken else {"without a suffix": 1})
