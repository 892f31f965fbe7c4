"""folders: removed in place and moved, also in an overlay file system; stopped at any call, the rest is found again."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.engine.folders import REMOVED, is_half_removed, move, remove
from pipeline.engine.store import Store


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "runs")


def commit(store: Store, text: str = "text") -> Path:
    with store.staging("train", "a" * 64) as out:
        (out / "folder").mkdir()
        (out / "folder" / "file").write_text(text)
        (out / "other").write_text(text)
        return store.commit("train", "a" * 64, {}).payload.parent


@pytest.fixture
def lower_layer(monkeypatch):
    """Makes all folders that are there now those of a lower layer: a rename of one is refused, as on overlayfs."""

    def make(root: Path) -> None:
        lower = {folder.stat().st_ino for folder in root.rglob("*") if folder.is_dir()}

        def refusing(rename):
            def checked(source, target):
                if os.stat(source).st_ino in lower:
                    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
                rename(source, target)

            return checked

        for name in ("replace", "rename"):
            monkeypatch.setattr(os, name, refusing(getattr(os, name)))

    return make


def test_artifact_of_a_lower_layer_is_removed(store, lower_layer):
    folder = commit(store)
    lower_layer(store.root)
    remove(folder)
    assert not folder.exists()


def test_artifact_of_a_lower_layer_is_replaced(store, lower_layer):
    folder = commit(store)
    lower_layer(store.root)
    assert commit(store, "new") == folder
    assert (folder / "payload" / "other").read_text() == "new"
    assert store.by_name(folder.name).damage() is None


def test_step_that_was_interrupted_in_a_lower_layer_is_completed(store, lower_layer):
    with store.staging("train", "a" * 64) as out:
        (out / "checkpoints").mkdir()
        (out / "checkpoints" / "epoch").write_text("1")
    lower_layer(store.root)
    folder = commit(store)
    assert store.by_name(folder.name).damage() is None
    assert list((store.root / ".staging").iterdir()) == []


def test_move_to_a_name_that_is_taken_is_an_error(tmp_path):
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    with pytest.raises(OSError, match="not empty"):
        move(tmp_path / "source", tmp_path / "target")


def test_link_is_removed_and_its_target_stays(store, tmp_path):
    folder = commit(store)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    remove(folder)
    assert not folder.is_symlink()
    assert (tmp_path / "elsewhere" / "record.json").exists()


CALLS = ((os, "replace"), (Path, "unlink"), (Path, "rmdir"))


def test_removal_that_fails_at_any_call_leaves_no_half_artifact(tmp_path, monkeypatch):
    """Every file and folder of the artifact is one call, and so is the rename of the record."""
    for stopped_at in range(6):
        store = Store(tmp_path / f"{stopped_at}")
        folder, calls = commit(store), 0

        def failing(call, stopped_at=stopped_at):
            def counted(*arguments, **options):
                nonlocal calls
                calls += 1
                if calls > stopped_at:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                return call(*arguments, **options)

            return counted

        with monkeypatch.context() as broken:
            for module, name in CALLS:
                broken.setattr(module, name, failing(getattr(module, name)))
            with pytest.raises(OSError, match="Input/output error"):
                remove(folder)
        found = store.by_name(folder.name)
        assert (found is not None) == (stopped_at == 0)
        assert found is None or found.damage() is None
        assert is_half_removed(folder) == (stopped_at > 0)
        remove(folder)
        assert not folder.exists()
        commit(store)


def test_users_folder_is_not_half_removed(tmp_path):
    folder = tmp_path / "train-aaaaaaaaaaaa" / "payload"
    folder.mkdir(parents=True)
    assert not is_half_removed(folder.parent)
    assert is_half_removed(folder)
    (folder / REMOVED).touch()
    assert is_half_removed(folder)
    assert not is_half_removed(folder / REMOVED)
