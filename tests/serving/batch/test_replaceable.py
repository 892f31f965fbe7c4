"""replaceable: an own output may be replaced; an input, a folder and another file are refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from serving.batch.replaceable import require_replaceable
from serving.errors import InputError
from serving.files import sha256_file, write_json


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((2, 24), np.uint8))
    return path


@pytest.fixture
def ours(tmp_path):
    """An output with its sidecar."""
    path = tmp_path / "out.csv"
    path.write_text("index,label,class,confidence\n0,1,one,0.5\n", encoding="utf-8")
    write_json(tmp_path / "out.csv.json", {"output_sha256": sha256_file(path), "replaces_sha256": None})
    return path


def test_digest_of_the_replaced_output_is_returned(tmp_path, images, ours):
    assert require_replaceable(tmp_path / "new.csv", [images], overwrite=False) is None
    for overwrite in (False, True):
        assert require_replaceable(ours, [images], overwrite) == sha256_file(ours)


def test_new_file_and_own_output_may_be_written(tmp_path, images, ours):
    require_replaceable(tmp_path / "new.csv", [images], overwrite=False)
    require_replaceable(ours, [images], overwrite=False)


def edited(ours):
    ours.write_text(ours.read_text(encoding="utf-8") + "10,0,plain,1\n", encoding="utf-8")


def sidecar(content):
    return lambda ours: ours.with_name("out.csv.json").write_text(content)


def test_input_is_never_replaced_by_the_sidecar(tmp_path):
    images = tmp_path / "out.csv.json"
    images.write_bytes(b"pixels")
    with pytest.raises(InputError, match="is an input: give another name"):
        require_replaceable(tmp_path / "out.csv", [images], overwrite=True)


@pytest.mark.parametrize(
    "change",
    [edited, lambda ours: ours.with_name("out.csv.json").unlink()]
    + [
        sidecar(content)
        for content in (
            "",
            "[]",
            "{}",
            '{"output_sha256": null, "replaces_sha256": null}',
            '{"output_sha256": "0", "replaces_sha256": "1"}',
        )
    ],
)
def test_other_files_are_replaced_only_with_overwrite(images, ours, change):
    change(ours)
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(ours, [images], overwrite=False)
    require_replaceable(ours, [images], overwrite=True)


def test_other_file_at_the_path_of_the_sidecar_is_refused(tmp_path, images):
    (tmp_path / "out.csv.json").write_text('{"other": "file"}')
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(tmp_path / "out.csv", [images], overwrite=False)


def test_sidecar_without_its_output_is_replaced(images, ours):
    ours.unlink()
    require_replaceable(ours, [images], overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_is_never_replaced(tmp_path, images, overwrite):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        require_replaceable(tmp_path / "out.csv", [images], overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("make", [os.symlink, os.link, None])
def test_input_is_never_replaced_under_any_name(tmp_path, images, overwrite, make):
    target = tmp_path / "out.npy" if make else images
    if make:
        make(images, target)
    with pytest.raises(InputError, match="is an input: give another name"):
        require_replaceable(target, [images], overwrite)


def test_other_file_that_is_replaced_has_no_digest(tmp_path, images):
    (tmp_path / "new.csv").write_text("mine")
    assert require_replaceable(tmp_path / "new.csv", [images], overwrite=True) is None


@pytest.mark.parametrize("overwrite", [False, True])
def test_pipes_and_broken_links_are_refused(tmp_path, images, overwrite):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("nowhere")
    with pytest.raises(InputError, match="is a pipe or a device"):
        require_replaceable(tmp_path / "pipe.csv", [images], overwrite)
    with pytest.raises(InputError, match="is a broken link"):
        require_replaceable(tmp_path / "link.csv", [images], overwrite)


@pytest.mark.parametrize(
    ("name", "message"), [("", "is a folder"), ("..", "is a folder"), ("x" * 300, "cannot be written")]
)
def test_invalid_names_are_refused(images, name, message):
    with pytest.raises(InputError, match=message):
        require_replaceable(Path(name), [images], overwrite=False)


def test_deeply_nested_sidecar_is_not_ours(images, ours):
    ours.with_name("out.csv.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(ours, [images], overwrite=False)


def test_missing_input_is_ignored(tmp_path, images, ours):
    assert require_replaceable(ours, [tmp_path / "gone.png", images], overwrite=False) == sha256_file(ours)
