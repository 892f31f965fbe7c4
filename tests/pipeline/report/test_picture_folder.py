"""picture_folder: complete or absent, drawn once, and a failure does not fail the run."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys

import pytest

from pipeline.report import picture_folder as module
from pipeline.report.drawings.drawing_cache import Drawing
from pipeline.report.pages import report as report_run
from tests.conftest import ROOT
from tests.pipeline.report.conftest import MADE, artifacts_of, record_of

ALL = ["class-balance.png", "confusion-matrix.png", "learning-curves.png", "predictions.png", "samples.png"]


@pytest.fixture
def logged():
    """The records of the run's log: level, text, and whether there is a traceback."""
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append((record.levelno, record.getMessage(), bool(record.exc_info)))
    log = logging.getLogger("beamline.report")
    level = log.level
    # Not `log.level =`: a logger caches its level.
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    yield records
    log.removeHandler(handler)
    log.setLevel(level)


def write_pictures(run, made, store):
    return module.write_pictures(artifacts_of(made, store, run))


def report(run, made, store):
    return report_run(record_of(run, made, store.root), (), store).pictures


def names(folder):
    return sorted(file.name for file in folder.glob("*.png"))


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_complete_run_has_every_picture(runs):
    folder = write_pictures("0001", runs.made(), runs.store)
    assert folder == runs.store.root / "reports" / "0001"
    assert names(folder) == ALL
    assert sorted(entry.name for entry in folder.iterdir()) == ALL
    assert sorted(entry.name for entry in folder.parent.iterdir()) == [".parts", "0001"]


@pytest.mark.parametrize(
    ("steps", "pictures"),
    [
        (("ingest",), ["samples.png"]),
        (("ingest", "analyze"), ["class-balance.png", "samples.png"]),
        (("ingest", "analyze", "train"), ["class-balance.png", "learning-curves.png", "samples.png"]),
        (("ingest", "evaluate"), ["confusion-matrix.png", "predictions.png", "samples.png"]),
    ],
    ids=" ".join,
)
def test_pictures_are_drawn_whose_artifacts_were_made(runs, steps, pictures):
    assert names(write_pictures("0001", runs.made(steps), runs.store)) == pictures


def test_run_without_artifacts_has_no_folder(runs):
    assert write_pictures("0001", runs.made(()), runs.store) is None
    assert not (runs.store.root / "reports").exists()


def test_same_artifacts_are_not_drawn_again(runs, monkeypatch):
    made = runs.made()
    first = write_pictures("0001", made, runs.store)
    monkeypatch.setattr(Drawing, "draw", lambda drawing, run: pytest.fail("it was drawn again"))
    second = write_pictures("0002", made, runs.store)
    third = write_pictures("0003", made, runs.store)
    assert contents(first) == contents(second) == contents(third)
    assert all((first / file).samefile(second / file) for file in ALL)


def test_pictures_in_the_cache_need_no_matplotlib(runs):
    made = runs.made()
    write_pictures("0001", made, runs.store)
    code = f"""
import sys
sys.modules["matplotlib"] = None
from pathlib import Path
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.report.picture_folder import write_pictures
from tests.pipeline.report.conftest import artifacts_of
print(write_pictures(artifacts_of({made!r}, Store(Path({str(runs.store.root)!r})), "0002")))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(runs.store.root / "reports" / "0002"), done.stderr
    assert names(runs.store.root / "reports" / "0002") == ALL


def test_only_what_changed_is_drawn_again(runs):
    before = runs.made()
    first = write_pictures("0001", before, runs.store)
    other = runs.made(("evaluate",), skill=0.1)
    runs.forget("analyze", "train")
    second = write_pictures("0002", {**before, "evaluate": other["evaluate"]}, runs.store)
    same = [file for file in ALL if (first / file).samefile(second / file)]
    assert same == ["class-balance.png", "learning-curves.png", "samples.png"]
    assert (first / "predictions.png").read_bytes() != (second / "predictions.png").read_bytes()


def test_pictures_of_any_earlier_run_are_used(runs):
    made, refused = runs.made(("ingest", "train")), runs.made(("ingest",))
    write_pictures("0009", made, runs.store)
    write_pictures("0010", refused, runs.store)
    write_pictures("9999", refused, runs.store)
    runs.forget(*MADE)
    assert names(write_pictures("10000", made, runs.store)) == ["learning-curves.png", "samples.png"]


@pytest.mark.parametrize("damage", ["", "changed", None])
def test_damaged_picture_is_drawn_again(runs, damage):
    made = runs.made(("ingest",))
    first = write_pictures("0001", made, runs.store)
    whole = contents(first)
    (first / "samples.png").unlink()
    if damage is not None:
        (first / "samples.png").write_text(damage)
    assert contents(write_pictures("0002", made, runs.store)) == whole


@pytest.mark.parametrize("damage", ["", "changed"])
def test_picture_that_was_written_to_in_place_is_drawn_again(runs, damage):
    made = runs.made(("ingest",))
    first = write_pictures("0001", made, runs.store)
    whole = contents(first)
    # A hard link: the file in the cache changes too.
    (first / "samples.png").write_text(damage)
    assert contents(write_pictures("0002", made, runs.store)) == whole


def test_files_are_copied_if_links_are_not_supported(runs, monkeypatch):
    def refuse(*arguments, **more):
        raise OSError("links are not supported")

    made = runs.made(("ingest",))
    first = write_pictures("0001", made, runs.store)
    runs.forget("ingest")
    monkeypatch.setattr(os, "link", refuse)
    second = write_pictures("0002", made, runs.store)
    assert contents(first) == contents(second)
    assert not (first / "samples.png").samefile(second / "samples.png")


def test_existing_folder_is_replaced(runs):
    left = runs.store.root / "reports" / "0001"
    left.mkdir(parents=True)
    (left / "left over").write_text("from a history that was deleted")
    assert list(contents(write_pictures("0001", runs.made(("ingest",)), runs.store))) == ["samples.png"]


def test_folder_has_the_users_permissions(runs):
    folder = write_pictures("0001", runs.made(("ingest",)), runs.store)
    (runs.store.root / "usual").mkdir()
    assert folder.stat().st_mode == (runs.store.root / "usual").stat().st_mode


def message_on_screen(logged):
    """The one sentence on the screen; only the log has the traceback."""
    assert True in [traceback for level, _, traceback in logged if level < logging.INFO]
    ((sentence, with_traceback),) = [(text, traceback) for level, text, traceback in logged if level >= logging.INFO]
    assert "\n" not in sentence
    assert not with_traceback
    return sentence


def test_picture_that_cannot_be_drawn_is_reported_in_one_sentence_and_leaves_no_folder(runs, logged, monkeypatch):
    def no_space(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.report.figures.style.to_png", no_space)
    assert report("0001", runs.made(), runs.store) is None
    assert sorted(entry.name for entry in (runs.store.root / "reports").iterdir()) == [".parts", "0001.html"]
    assert message_on_screen(logged) == ("the pictures of run 0001 could not be written: No space left on device")


def test_file_at_the_place_of_the_folder_is_reported(runs, logged):
    (runs.store.root / "reports").write_text("")
    assert report("0001", runs.made(), runs.store) is None
    messages = [text for level, text, _ in logged if level >= logging.INFO]
    assert [text.split(" of ")[0] for text in messages] == ["the pictures", "the card"]
    assert all(text.endswith(f"File exists: {runs.store.root / 'reports'}") for text in messages)


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_nothing_is_drawn_from_a_damaged_artifact(runs, logged, damage):
    made = runs.made(("ingest",))
    (folder,) = (runs.store.root / "artifacts").glob("ingest-*")
    block = folder / "payload" / "test-00000.images.npy"
    if damage == "changed":
        block.write_bytes(block.read_bytes()[:-1] + b"?")
    else:
        shutil.rmtree(folder)
    assert report("0001", made, runs.store) is None
    changed = f"was changed after it was stored (test-00000.images.npy was changed): delete {folder} and repeat the run"
    gone = f"is no longer in {runs.store.root}: repeat the run to make it again"
    assert message_on_screen(logged) == (
        "the pictures of run 0001 could not be written: run 0001: the output of ingest "
        f"{changed if damage == 'changed' else gone}"
    )


def test_interruption_while_drawing_is_raised_and_leaves_no_folder(runs, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    made = runs.made(("ingest",))
    monkeypatch.setattr("pipeline.report.picture_folder.fsync_tree", interrupt)
    with pytest.raises(KeyboardInterrupt):
        report("0001", made, runs.store)
    assert [entry.name for entry in (runs.store.root / "reports").iterdir()] == [".parts"]
