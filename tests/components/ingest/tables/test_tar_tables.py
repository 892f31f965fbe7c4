"""Tar files whose members must not be lost or get another class in silence."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest

from serving.batch.images import find_images
from tests.components.ingest.tables.reading import plan, refusal, rows, same_rows
from tests.table_files import NAMES, pictures, png, write_tar

IMAGES, LABELS = pictures(30)
CONTENTS = [png(image) for image in IMAGES]
MEMBERS = {f"{NAMES[label]}/{row:02d}.png": CONTENTS[row] for row, label in enumerate(LABELS)}
SORTED = ("one", "two", "zero")


def test_names_with_several_dots_are_several_pictures(tmp_path):
    order = np.argsort(LABELS, kind="stable")
    members = {f"{NAMES[LABELS[row]]}/2024.{row:02d}.png": CONTENTS[row] for row in order}
    found = plan(write_tar(tmp_path / "t.tar", members))
    parts = [rows(found, split) for split in ("train", "test")]
    images, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    assert same_rows((images, labels), IMAGES[..., None], [SORTED.index(NAMES[label]) for label in LABELS])


@pytest.mark.parametrize("fault", ["cut", "header", "joined"])
def test_archive_that_ends_too_early_is_refused(tmp_path, fault):
    path = write_tar(tmp_path / "t.tar", MEMBERS)
    content = path.read_bytes()
    with tarfile.open(path) as archive:
        middle = archive.getmembers()[15].offset
    changed = {
        "cut": content[:middle],
        "header": content[: middle + 148] + b"no check" + content[middle + 156 :],
        "joined": content + content,
    }
    path.write_bytes(changed[fault])
    assert "t.tar is damaged (" in refusal(path)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_links_are_refused_because_they_have_no_content(tmp_path, kind):
    path = write_tar(tmp_path / "t.tar", MEMBERS)
    with tarfile.open(path, "a") as archive:
        member = tarfile.TarInfo("one/again.png")
        member.type, member.linkname = kind, "one/01.png"
        archive.addfile(member)
        folder = tarfile.TarInfo("one/empty")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder, io.BytesIO())
    assert "holds one/again.png, which is a link" in refusal(path)


def test_class_folders_at_different_depths_are_refused(tmp_path):
    members = {f"{NAMES[row % 3]}/{row:03d}.png": CONTENTS[row % 30] for row in range(120)}
    path = write_tar(tmp_path / "t.tar", {**members, "one/more/x.png": CONTENTS[0]})
    assert "holds zero/000.png and one/more/x.png, whose classes would be folders at different depths" in refusal(path)


def test_values_in_json_replace_neither_the_picture_nor_its_name(tmp_path):
    values = json.dumps({"file": "x", "picture": "y", "label": 1}).encode()
    source = find_images([str(write_tar(tmp_path / "t.tar", {"0.png": CONTENTS[0], "0.json": values}))])
    assert source.names(0, 1) == ["0.png"]
    assert source.fits((6, 5, 1))
