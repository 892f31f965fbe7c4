"""replaceable: what is ours may be written over; what is an input, a folder or somebody else's may not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from serving.errors import InputError
from serving.files import sha256_file, write_json
from serving.replaceable import require_replaceable


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


def test_what_is_replaced_is_known_by_its_digest(tmp_path, images, ours):
    assert require_replaceable(tmp_path / "new.csv", [images], overwrite=False) is None
    for overwrite in (False, True):
        assert require_replaceable(ours, [images], overwrite) == sha256_file(ours)


def test_new_file_and_our_own_may_be_written(tmp_path, images, ours):
    require_replaceable(tmp_path / "new.csv", [images], overwrite=False)
    require_replaceable(ours, [images], overwrite=False)


def edited(ours):
    ours.write_text(ours.read_text(encoding="utf-8") + "10,0,plain,1\n", encoding="utf-8")


def sidecar(content):
    return lambda ours: ours.with_name("out.csv.json").write_text(content)


def test_sidecars_place_is_never_the_input(tmp_path):
    images = tmp_path / "out.csv.json"
    images.write_bytes(b"pixels")
    with pytest.raises(InputError, match="is an input itself"):
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
def test_what_is_not_shown_to_be_ours_is_replaced_only_with_overwrite(images, ours, change):
    change(ours)
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(ours, [images], overwrite=False)
    require_replaceable(ours, [images], overwrite=True)


def test_sidecars_place_holds_somebody_elses_file(tmp_path, images):
    (tmp_path / "out.csv.json").write_text('{"somebody": "else"}')
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
    with pytest.raises(InputError, match="is an input itself"):
        require_replaceable(target, [images], overwrite)


def test_somebody_elses_file_that_was_written_over_is_not_ours(tmp_path, images):
    (tmp_path / "new.csv").write_text("mine")
    assert require_replaceable(tmp_path / "new.csv", [images], overwrite=True) is None


@pytest.mark.parametrize("overwrite", [False, True])
def test_pipes_and_links_to_nowhere_are_refused(tmp_path, images, overwrite):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("nowhere")
    with pytest.raises(InputError, match="is a pipe or a device"):
        require_replaceable(tmp_path / "pipe.csv", [images], overwrite)
    with pytest.raises(InputError, match="is a link to nowhere"):
        require_replaceable(tmp_path / "link.csv", [images], overwrite)


@pytest.mark.parametrize(
    ("name", "said"), [("", "is a folder"), ("..", "is a folder"), ("x" * 300, "cannot be written")]
)
def test_names_that_no_file_can_have_are_refused(images, name, said):
    with pytest.raises(InputError, match=said):
        require_replaceable(Path(name), [images], overwrite=False)


def test_deep_sidecar_is_none_of_ours(images, ours):
    ours.with_name("out.csv.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(ours, [images], overwrite=False)


def test_input_that_is_not_there_is_none(tmp_path, images, ours):
    assert require_replaceable(ours, [tmp_path / "gone.png", images], overwrite=False) == sha256_file(ours)
