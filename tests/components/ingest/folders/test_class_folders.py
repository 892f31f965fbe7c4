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


@pytest.mark.parametrize("suffix", ["bmp", "GIF", "webp", "tif", "tiff", "avif", "heic"])
def test_pictures_of_other_formats_are_refused(root, tmp_path, suffix):
    (root / "train" / "class a" / f"x.{suffix}").write_bytes(b"BM")
    message = refusal(root, tmp_path)
    assert f"train/class a/x.{suffix} is neither PNG nor JPEG: convert it to PNG" in message
    with pytest.raises(InputError):
        FolderSource(root).fingerprint()


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
    assert "empty holds no pictures" in refusal(tmp_path / "empty", tmp_path)
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
    assert "x.png is a link to nothing" in refusal(root, tmp_path)
    (root / "train" / "class a" / "x.png").unlink()
    os.mkfifo(root / "train" / "class a" / "x.png")
    assert "x.png is a link to nothing, or a pipe" in refusal(root, tmp_path)
    (root / "train" / "class a" / "x.png").unlink()
    (root / "train" / "class a" / "back").symlink_to(root / "train")
    assert "is a link to one of its parent folders" in refusal(root, tmp_path)
