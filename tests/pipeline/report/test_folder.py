"""folder: whole or not at all, drawn once, and never a reason for a run to fail."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys

import pytest

from pipeline.report import folder as module
from pipeline.report.pages import report as report_run
from pipeline.report.payloads import Payloads
from tests.conftest import ROOT
from tests.pipeline.report.conftest import MADE, record_of

ALL = ["class-balance.png", "confusion-matrix.png", "learning-curves.png", "predictions.png", "samples.png"]


@pytest.fixture
def logged():
    """What goes to the run's screen and log: level, text and whether with a traceback."""
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append((record.levelno, record.getMessage(), bool(record.exc_info)))
    log = logging.getLogger("beamline.report")
    level = log.level
    # What is enabled is remembered until a level is set so.
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    yield records
    log.removeHandler(handler)
    log.setLevel(level)


def write_pictures(run, made, store):
    return module.write_pictures(run, Payloads(made, store))


def report(run, made, store):
    return report_run(record_of(run, made, store.root), (), store).pictures


def names(folder):
    return sorted(file.name for file in folder.glob("*.png"))


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_run_that_made_everything_has_every_picture(runs):
    folder = write_pictures("0001", runs.made(), runs.store)
    assert folder == runs.store.root / "reports" / "0001"
    assert names(folder) == ALL
    assert sorted(json.loads((folder / "pictures.json").read_text())) == ALL
    assert [entry.name for entry in folder.parent.iterdir()] == ["0001"]


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
def test_what_there_is_is_drawn(runs, steps, pictures):
    assert names(write_pictures("0001", runs.made(steps), runs.store)) == pictures


def test_run_that_made_nothing_leaves_no_folder(runs):
    assert write_pictures("0001", runs.made(()), runs.store) is None
    assert not (runs.store.root / "reports").exists()


def test_same_artifacts_are_not_drawn_again(runs):
    made = runs.made()
    first = write_pictures("0001", made, runs.store)
    # From here on, drawing would fail.
    runs.forget(*MADE)
    second = write_pictures("0002", made, runs.store)
    third = write_pictures("0003", made, runs.store)
    assert contents(first) == contents(second) == contents(third)
    assert all((first / file).samefile(second / file) for file in ALL)
    assert not (first / "pictures.json").samefile(second / "pictures.json")


def test_taking_over_needs_no_matplotlib(runs):
    made = runs.made()
    write_pictures("0001", made, runs.store)
    code = f"""
import sys
sys.modules["matplotlib"] = None
from pathlib import Path
from pipeline.outcome import Outcome
from pipeline.report.folder import write_pictures
from pipeline.report.payloads import Payloads
from pipeline.store import Store
print(write_pictures("0002", Payloads({made!r}, Store(Path({str(runs.store.root)!r})))))
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


def test_pictures_come_from_whichever_run_drew_them(runs):
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


@pytest.mark.parametrize("index", ["", "[]", "{}", "null", '{"samples.png": 1}', '{"samples.png": {"identity": 1}}'])
def test_index_that_cannot_be_read_is_none(runs, index):
    made = runs.made(("ingest",))
    first = write_pictures("0001", made, runs.store)
    whole = contents(first)
    (first / "pictures.json").write_text(index)
    assert contents(write_pictures("0002", made, runs.store)) == whole


def test_where_links_cannot_be_made_files_are_copied(runs, monkeypatch):
    def refuse(*arguments, **more):
        raise OSError("no links here")

    made = runs.made(("ingest",))
    first = write_pictures("0001", made, runs.store)
    runs.forget("ingest")
    monkeypatch.setattr(os, "link", refuse)
    second = write_pictures("0002", made, runs.store)
    assert contents(first) == contents(second)
    assert not (first / "samples.png").samefile(second / "samples.png")


def test_folder_that_stands_there_is_replaced_whole(runs):
    left = runs.store.root / "reports" / "0001"
    left.mkdir(parents=True)
    (left / "left over").write_text("from a history that was deleted")
    assert sorted(contents(write_pictures("0001", runs.made(("ingest",)), runs.store))) == [
        "pictures.json",
        "samples.png",
    ]


def test_folder_can_be_read_by_whom_the_user_lets(runs):
    folder = write_pictures("0001", runs.made(("ingest",)), runs.store)
    (runs.store.root / "usual").mkdir()
    assert folder.stat().st_mode == (runs.store.root / "usual").stat().st_mode


def said_on_screen(logged):
    """The one sentence on the screen, after the traceback that only the log has."""
    assert True in [traceback for level, _, traceback in logged if level < logging.INFO]
    ((sentence, with_traceback),) = [(text, traceback) for level, text, traceback in logged if level >= logging.INFO]
    assert "\n" not in sentence
    assert not with_traceback
    return sentence


def test_picture_that_cannot_be_drawn_is_told_in_one_sentence_and_leaves_nothing(runs, logged, monkeypatch):
    def no_space(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.report.pictures.save_png", no_space)
    assert report("0001", runs.made(), runs.store) is None
    assert sorted(entry.name for entry in (runs.store.root / "reports").iterdir()) == [".parts", "0001.html"]
    assert said_on_screen(logged) == (
        "the pictures of run 0001 could not be written: OSError: [Errno 28] No space left on device"
    )


def test_file_in_the_way_is_told_too(runs, logged):
    (runs.store.root / "reports").write_text("")
    assert report("0001", runs.made(), runs.store) is None
    said = [text for level, text, _ in logged if level >= logging.INFO]
    assert [text.split(" of ")[0] for text in said] == ["the pictures", "the card"]
    assert all("FileExistsError" in text for text in said)


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
    found = "test-00000.images.npy was changed" if damage == "changed" else "its record is gone"
    assert said_on_screen(logged) == (
        "the pictures of run 0001 could not be written: the artifact of ingest is not as it was committed "
        f"({found}): delete {folder} and run again"
    )


def test_interruption_while_drawing_goes_on_up_and_leaves_nothing(runs, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    made = runs.made(("ingest",))
    monkeypatch.setattr("pipeline.report.folder.fsync_tree", interrupt)
    with pytest.raises(KeyboardInterrupt):
        report("0001", made, runs.store)
    assert list((runs.store.root / "reports").iterdir()) == []
