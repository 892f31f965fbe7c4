"""clean that is stopped: it prints what is gone and only that, and the next one removes the rest."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.records.run_history import RunHistory
from tests.pipeline.commands.logged_runs import add_run

CALLS = ((os, "replace"), (Path, "unlink"), (Path, "rmdir"))


@pytest.fixture
def project(toy, monkeypatch):
    """Runs with an artifact each, and one with nothing to do."""
    monkeypatch.chdir(toy.folder)
    for limit in (10, 11, 11, 12):
        add_run(toy, toy.run(limit=limit))
    return toy


def fail_after(broken, calls: int) -> None:
    """Makes the calls that remove and rename fail after a number of them, except those for the list of runs."""
    left = calls

    def refusing(call):
        def counted(path, *arguments, **options):
            nonlocal left
            if not os.path.basename(path).startswith((".index", "index")):
                left -= 1
                if left < 0:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            return call(path, *arguments, **options)

        return counted

    for module, name in CALLS:
        broken.setattr(module, name, refusing(getattr(module, name)))


def removed(output: str) -> list[Path]:
    return [Path(line.split(" MB  ")[1]) for line in output.splitlines() if line.startswith("removed ")]


def test_stopped_at_any_call_it_says_what_is_gone(project, capsys, monkeypatch):
    assert main(["clean", "--keep", "1", "--dry-run"]) == 0
    planned = capsys.readouterr().out.count("would remove")
    gone: list[Path] = []
    calls, code = 0, 1
    # Each attempt gets one call further than the one before, and goes on where that one stopped.
    while code == 1:
        with monkeypatch.context() as broken:
            fail_after(broken, calls)
            code = main(["clean", "--keep", "1"])
        printed = capsys.readouterr()
        now = removed(printed.out)
        gone += now
        assert not any(path.exists() for path in gone)
        for entry in (project.store.root / "artifacts").iterdir():
            found = project.store.by_name(entry.name)
            assert found is None or found.damage() is None
        if code:
            (sentence,) = printed.err.splitlines()
            left = planned - len(gone)
            assert (
                f"could not be removed completely (Input/output error): {len(now)} of {len(now) + left} files"
                in sentence
            )
            assert f"and {left} were not" in sentence
        calls += 1
    assert len(gone) == len(set(gone)) == planned
    assert calls > planned / 2
    assert main(["clean", "--keep", "1"]) == 0
    assert removed(capsys.readouterr().out) == []


def test_half_removed_artifact_goes_whichever_runs_are_kept(project, capsys, monkeypatch):
    with monkeypatch.context() as broken:
        fail_after(broken, 1)
        assert main(["clean", "--keep", "1"]) == 1
    half = Path(capsys.readouterr().err.split("clean: ")[1].split(" could not")[0])
    assert half.exists()
    assert project.store.by_name(half.name) is None
    assert main(["clean", "--keep", "100"]) == 0
    assert removed(capsys.readouterr().out) == [half]
    assert not half.exists()


def test_list_of_runs_is_true_after_a_removal_that_failed(project, capsys, monkeypatch):
    reports = project.store.root / "reports"
    for run in RunHistory(project.store.root).runs():
        (reports / f"{run}.html").write_text("card")
    index = project.store.root / "index.html"
    index.write_text("")
    monkeypatch.setattr("pipeline.commands.clean.remove", only(reports))
    assert main(["clean", "--keep", "1"]) == 1
    page = index.read_text()
    for run in RunHistory(project.store.root).runs():
        assert (f"reports/{run}.html" in page) == (reports / f"{run}.html").exists()


def only(folder: Path):
    """Removes files of this folder alone."""

    def remove(path: Path) -> None:
        if path.parent != folder and path.parent.name not in ("artifacts", "logs"):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        path.unlink() if path.is_file() else None

    return remove


def test_nothing_is_removed_by_renaming_a_folder(project, capsys, monkeypatch):
    rename = os.replace

    def refusing(source, target):
        if os.path.isdir(source):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
        rename(source, target)

    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, refusing)
    assert main(["clean", "--keep", "1"]) == 0
    assert removed(capsys.readouterr().out)
    assert main(["clean", "--keep", "1", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("0 files and folders")
