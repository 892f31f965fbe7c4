"""clean: what versions and the last runs need stays, the rest goes, and nothing goes while a run is going on."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import clean as clean_module
from pipeline.__main__ import main
from pipeline.clean import needs
from pipeline.history import History, Record
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.store import Store
from tests.serving.tiny_bundle import seal

VERDICTS = ("promoted", "refused", "failed", "interrupted", "running")


def record(number: int, verdict: str, artifacts: list[str]) -> Record:
    steps = tuple(Outcome(f"step{index}", "executed", artifact=name) for index, name in enumerate(artifacts))
    return Record(f"{number:04d}", "2026-01-01T00:00:00+00:00", verdict, 1.0, (), {}, steps, {})


RECORDS = st.lists(st.tuples(st.sampled_from(VERDICTS), st.lists(st.sampled_from("abcdefgh"), max_size=4)), max_size=8)


@given(RECORDS, st.sets(st.sampled_from("abcdefgh")), st.integers(1, 10))
def test_needs_are_those_of_the_last_runs_and_of_versions(described, exported, keep):
    records = [record(number, *what) for number, what in enumerate(described, start=1)]
    needed = needs(records, dict.fromkeys(exported, True) | {"x": False}, keep)
    for position, (verdict, artifacts) in enumerate(described):
        stays = len(described) - position <= keep or bool(exported & set(artifacts))
        assert (records[position].run in needed.runs) == stays
        if stays:
            assert set(artifacts) <= needed.artifacts
        if len(described) - position <= keep and verdict in ("failed", "interrupted", "running"):
            assert needed.unfinished
    wanted = {a for r in records if r.run in needed.runs for a in dict(enumerate(described, 1))[int(r.run)][1]}
    assert needed.artifacts == wanted


def remember(toy, made, verdict: str = "promoted") -> str:
    """Keeps a run in the history with a log, pictures and curves. Returns: its number."""
    history = History(toy.store.root)
    begun = history.begin(history.next_run(), parse_run([]))
    history.finish(replace(begun, verdict=verdict, steps=tuple(made.values())))
    (toy.store.root / "logs").mkdir(exist_ok=True)
    (toy.store.root / "logs" / f"{begun.run}.log").write_text("log")
    (toy.store.root / "reports" / begun.run).mkdir(parents=True)
    (toy.store.root / "reports" / begun.run / "curves.png").write_bytes(b"png")
    (toy.store.root / "tensorboard" / f"{begun.run}-tiny.v2-mlp" / "training").mkdir(parents=True)
    return begun.run


@pytest.fixture
def three(toy, monkeypatch):
    """Three runs with other limits, so that each has its own artifact of the gate and all share that of count."""
    monkeypatch.chdir(toy.folder)
    for number, limit in enumerate((10, 11, 12), start=1):
        remember(toy, toy.run(limit=limit, run=f"000{number}"))
    return toy


def names(toy, kind: str = "artifacts") -> set[str]:
    return {entry.name for entry in (toy.store.root / kind).glob("*")}


def cleaned(capsys, *arguments: str) -> str:
    assert main(["clean", *arguments]) == 0
    return capsys.readouterr().out


def test_comparisons_of_which_a_run_is_dropped_go_with_it(three, capsys):
    folder = three.store.root / "comparisons"
    folder.mkdir()
    for number, runs in (("0001", ("0001", "0003")), ("0002", ("0003", None))):
        (folder / f"{number}.json").write_text(json.dumps({"entries": [{"run": run} for run in runs]}))
        (folder / f"{number}.html").write_text("")
    (folder / "0003.json").write_text("{")
    cleaned(capsys, "--keep", "1")
    assert names(three, "comparisons") == {"0002.json", "0002.html", "0003.json"}


def test_only_what_the_last_run_needs_stays(three, capsys):
    last = {o.artifact for o in History(three.store.root).read("3").steps}
    before = names(three)
    said = cleaned(capsys, "--keep", "1")
    assert names(three) == last - {None}
    for gone in before - last:
        assert gone in said
    assert names(three, "logs") == {"0003.log"}
    assert names(three, "reports") == {"0003"}
    assert names(three, "tensorboard") == {"0003-tiny.v2-mlp"}
    # The history stays, and the rest is as it was.
    assert len(History(three.store.root).records()) == 3
    assert not (three.store.root / ".trash").exists()
    assert {o.outcome for o in three.run(limit=12, run="0003").values()} == {"cached"}


def test_dry_run_says_the_same_and_removes_nothing(three, capsys):
    before = sorted(three.store.root.rglob("*"))
    dry = cleaned(capsys, "--keep", "1", "--dry-run")
    assert sorted(three.store.root.rglob("*")) == before
    assert "would remove" in dry
    said = cleaned(capsys, "--keep", "1")
    assert dry.replace("would remove", "removed").replace("would be freed", "freed") == said


def test_what_a_version_was_made_from_stays(three, capsys):
    version = seal(three.folder / "models" / "tiny" / "1").path
    with three.store.staging("export", "e" * 64) as out:
        seal(out)
        stored = three.store.commit("export", "e" * 64, {})
    assert (stored.path / "manifest.json").read_bytes() == (version / "manifest.json").read_bytes()
    made = three.run(limit=20, run="0004")
    made["export"] = Outcome("export", "executed", artifact=stored.folder, sha256=stored.sha256, passed=True)
    serving = remember(three, made)
    remember(three, three.run(limit=12, run="0005"))
    cleaned(capsys, "--keep", "1")
    assert {o.artifact for o in made.values() if o.artifact} <= names(three)
    assert names(three, "logs") == {f"{serving}.log", "0005.log"}


def test_foreign_files_stay_and_are_said(three, capsys):
    (three.store.root / "artifacts" / "my-notes").mkdir()
    (three.store.root / "artifacts" / "my-notes" / "notes.txt").write_text("mine")
    said = cleaned(capsys, "--keep", "1")
    assert (three.store.root / "artifacts" / "my-notes" / "notes.txt").read_text() == "mine"
    assert "left alone, because it is no whole artifact: runs/artifacts/my-notes" in said


def test_copy_that_somebody_made_of_an_artifact_is_foreign(three, capsys):
    original = next((three.store.root / "artifacts").iterdir())
    copy = shutil.copytree(original, original.with_name(original.name + "-saved"))
    (three.store.root / "artifacts" / "file").write_text("mine")
    cleaned(capsys, "--keep", "1")
    assert copy.exists()
    assert (three.store.root / "artifacts" / "file").read_text() == "mine"


def test_registry_that_a_run_promoted_to_counts_wherever_it_is(three, capsys):
    seal(three.folder / "elsewhere" / "tiny" / "1")
    with three.store.staging("export", "e" * 64) as out:
        seal(out)
        stored = three.store.commit("export", "e" * 64, {})
    history = History(three.store.root)
    begun = history.begin(history.next_run(), parse_run(["--models", "elsewhere"]))
    exported = Outcome("export", "executed", artifact=stored.folder, sha256=stored.sha256, passed=True)
    history.finish(replace(begun, verdict="promoted", steps=(exported,)))
    remember(three, three.run(limit=12, run="0005"))
    cleaned(capsys, "--keep", "1")
    assert stored.path.exists()
    shutil.rmtree(three.folder / "elsewhere")
    cleaned(capsys, "--keep", "1")
    assert not stored.path.exists()


def test_what_a_killed_run_left_half_drawn_goes(three, capsys):
    (three.store.root / "reports" / ".0003.abc" / "0003").mkdir(parents=True)
    cleaned(capsys)
    assert names(three, "reports") == {"0001", "0002", "0003"}


def test_dry_run_leaves_even_the_trash(three, capsys):
    (three.store.root / ".trash").mkdir()
    cleaned(capsys, "--dry-run")
    assert (three.store.root / ".trash").exists()


@pytest.mark.parametrize(("verdict", "stays"), [("interrupted", True), ("running", True), ("promoted", False)])
def test_checkpoints_stay_while_a_run_that_needs_them_is_among_the_last(three, capsys, verdict, stays):
    checkpoints = three.store.root / ".staging" / "train-abc" / "payload" / "checkpoints"
    checkpoints.mkdir(parents=True)
    remember(three, three.run(limit=12, run="0004"), verdict)
    with three.store.staging("orphan", "f" * 64):
        orphan = three.store.commit("orphan", "f" * 64, {}).folder
    cleaned(capsys, "--keep", "1")
    assert checkpoints.exists() == stays
    assert (orphan in names(three)) == stays


def test_crash_in_between_leaves_no_half_of_an_artifact(three, capsys, monkeypatch):
    def crash(path, **options):
        if options.get("ignore_errors"):
            return
        raise OSError("the disk is gone")

    monkeypatch.setattr(clean_module.shutil, "rmtree", crash)
    assert main(["clean", "--keep", "1"]) == 1
    assert "clean: the disk is gone" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(three.folder)
    for entry in (three.store.root / "artifacts").iterdir():
        assert three.store.stored(entry).damage() is None
    cleaned(capsys, "--keep", "1")
    assert not (three.store.root / ".trash").exists()


def hold(root, ready, done) -> None:
    with Store(root).shared():
        ready.set()
        done.wait(60)


def take(root, waiting, seen) -> None:
    waiting.set()
    with Store(root).shared():
        seen.put((root / "cleaned").exists())


def test_nothing_is_removed_while_a_run_is_going_on(three, capsys):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    run = context.Process(target=hold, args=(three.store.root, ready, done))
    run.start()
    ready.wait(60)
    before = sorted(three.store.root.rglob("*"))
    assert main(["clean", "--keep", "1"]) == 1
    assert "a run is going on in runs: nothing was done, try again" in capsys.readouterr().err
    assert sorted(three.store.root.rglob("*")) == before
    done.set()
    run.join(60)
    cleaned(capsys, "--keep", "1")


def test_run_that_begins_meanwhile_waits(three):
    context = multiprocessing.get_context("spawn")
    waiting, seen = context.Event(), context.Queue()
    run = context.Process(target=take, args=(three.store.root, waiting, seen))
    with three.store.alone():
        run.start()
        waiting.wait(60)
        (three.store.root / "cleaned").touch()
    assert seen.get(timeout=600)
    run.join(60)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("--keep", "0"), "--keep 0: give 1 or more"), (("--runs", "nowhere"), "nowhere has no runs")],
)
def test_mistake_is_told_in_a_sentence(three, capsys, arguments, sentence):
    assert main(["clean", *arguments]) == 2
    assert sentence in capsys.readouterr().err
