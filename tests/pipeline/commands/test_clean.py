"""clean: the files of promoted versions and of the last runs are kept, the others are removed."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.__main__ import main
from pipeline.commands import clean as clean_module
from pipeline.commands.clean import find_needs
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.records.run_history import Record, RunHistory
from tests.pipeline.requests import recorded
from tests.serving.tiny_bundle import seal

CONFIG, _ = recorded()
VERDICTS = ("promoted", "refused", "failed", "interrupted", "running")


def record(number: int, verdict: str, artifacts: list[str]) -> Record:
    steps = tuple(Outcome(f"step{index}", "executed", artifact=name) for index, name in enumerate(artifacts))
    return Record(f"{number:04d}", "2026-01-01T00:00:00+00:00", verdict, 1.0, (), CONFIG, steps, {})


RECORDS = st.lists(st.tuples(st.sampled_from(VERDICTS), st.lists(st.sampled_from("abcdefgh"), max_size=4)), max_size=8)


@given(RECORDS, st.sets(st.sampled_from("abcdefgh")), st.integers(1, 10))
def test_needs_are_those_of_the_last_runs_and_of_promoted_versions(described, exported, keep):
    records = [record(number, *what) for number, what in enumerate(described, start=1)]
    needed = find_needs(records, dict.fromkeys(exported, True) | {"x": False}, keep)
    for position, (verdict, artifacts) in enumerate(described):
        stays = len(described) - position <= keep or bool(exported & set(artifacts))
        assert (records[position].run in needed.runs) == stays
        if stays:
            assert set(artifacts) <= needed.artifacts
        if len(described) - position <= keep and verdict in ("failed", "interrupted", "running"):
            assert needed.unfinished
    wanted = {a for r in records if r.run in needed.runs for a in dict(enumerate(described, 1))[int(r.run)][1]}
    assert needed.artifacts == wanted


def add_run(toy, made, verdict: str = "promoted") -> str:
    """Adds a run to the history, with a log, pictures and TensorBoard files. Returns: its number."""
    history = RunHistory(toy.store.root)
    begun = history.begin(history.next_run(), *recorded())
    history.finish(replace(begun, verdict=verdict, steps=tuple(made.values())))
    (toy.store.root / "logs").mkdir(exist_ok=True)
    (toy.store.root / "logs" / f"{begun.run}.log").write_text("log")
    (toy.store.root / "reports" / begun.run).mkdir(parents=True)
    (toy.store.root / "reports" / begun.run / "curves.png").write_bytes(b"png")
    (toy.store.root / "tensorboard" / f"{begun.run}-tiny.v2-mlp" / "training").mkdir(parents=True)
    return begun.run


@pytest.fixture
def three(toy, monkeypatch):
    """Three runs with different limits: each has its own artifact of gate, and all share that of count."""
    monkeypatch.chdir(toy.folder)
    for limit in (10, 11, 12):
        add_run(toy, toy.run(limit=limit))
    return toy


def names(toy, kind: str = "artifacts") -> set[str]:
    return {entry.name for entry in (toy.store.root / kind).glob("*")}


def cleaned(capsys, *arguments: str) -> str:
    assert main(["clean", *arguments]) == 0
    return capsys.readouterr().out


def test_removes_a_comparison_with_a_removed_run(three, capsys):
    folder = three.store.root / "comparisons"
    folder.mkdir()
    for number, runs in (("0001", ("0001", "0003")), ("0002", ("0003", None))):
        (folder / f"{number}.json").write_text(json.dumps({"entries": [{"run": run} for run in runs]}))
        (folder / f"{number}.html").write_text("")
    (folder / "0003.json").write_text("{")
    cleaned(capsys, "--keep", "1")
    assert names(three, "comparisons") == {"0002.json", "0002.html", "0003.json"}


def test_keeps_only_the_files_of_the_last_run(three, capsys):
    last = {o.artifact for o in RunHistory(three.store.root).read("3").steps}
    before = names(three)
    output = cleaned(capsys, "--keep", "1")
    assert names(three) == last - {None}
    for gone in before - last:
        assert gone in output
    assert names(three, "logs") == {"0003.log"}
    assert names(three, "reports") == {"0003"}
    assert names(three, "tensorboard") == {"0003-tiny.v2-mlp"}
    # The history is kept, and the kept artifacts are still used.
    assert len(RunHistory(three.store.root).records()) == 3
    assert not (three.store.root / ".trash").exists()
    assert {o.outcome for o in three.run(limit=12).values()} == {"cached"}


def test_dry_run_prints_the_same_and_removes_nothing(three, capsys):
    (three.store.root / ".trash").mkdir()
    before = sorted(three.store.root.rglob("*"))
    dry = cleaned(capsys, "--keep", "1", "--dry-run")
    assert sorted(three.store.root.rglob("*")) == before
    assert "would remove" in dry
    output = cleaned(capsys, "--keep", "1")
    assert dry.replace("would remove", "removed").replace("would be freed", "freed") == output


def test_keeps_the_run_of_a_promoted_version(three, capsys):
    version = seal(three.folder / "models" / "tiny" / "1").path
    with three.store.staging("export", "e" * 64) as out:
        seal(out)
        stored = three.store.commit("export", "e" * 64, {})
    assert (stored.payload / "manifest.json").read_bytes() == (version / "manifest.json").read_bytes()
    made = three.run(limit=20)
    made["export"] = Outcome("export", "executed", artifact=stored.name, sha256=stored.sha256, passed=True)
    serving = add_run(three, made)
    add_run(three, three.run(limit=12))
    cleaned(capsys, "--keep", "1")
    assert {o.artifact for o in made.values() if o.artifact} <= names(three)
    assert names(three, "logs") == {f"{serving}.log", "0005.log"}


def test_keeps_unknown_files_and_prints_them(three, capsys):
    (three.store.root / "artifacts" / "my-notes").mkdir()
    (three.store.root / "artifacts" / "my-notes" / "notes.txt").write_text("mine")
    output = cleaned(capsys, "--keep", "1")
    assert (three.store.root / "artifacts" / "my-notes" / "notes.txt").read_text() == "mine"
    assert "not removed, because it is not a complete artifact: runs/artifacts/my-notes" in output


def test_keeps_a_users_copy_of_an_artifact(three, capsys):
    original = next((three.store.root / "artifacts").iterdir())
    copy = shutil.copytree(original, original.with_name(original.name + "-saved"))
    (three.store.root / "artifacts" / "file").write_text("mine")
    cleaned(capsys, "--keep", "1")
    assert copy.exists()
    assert (three.store.root / "artifacts" / "file").read_text() == "mine"


def test_keeps_the_run_of_a_version_in_another_registry(three, capsys):
    seal(three.folder / "elsewhere" / "tiny" / "1")
    with three.store.staging("export", "e" * 64) as out:
        seal(out)
        stored = three.store.commit("export", "e" * 64, {})
    history = RunHistory(three.store.root)
    begun = history.begin(history.next_run(), *recorded("--models", "elsewhere"))
    exported = Outcome("export", "executed", artifact=stored.name, sha256=stored.sha256, passed=True)
    history.finish(replace(begun, verdict="promoted", steps=(exported,)))
    add_run(three, three.run(limit=12))
    cleaned(capsys, "--keep", "1")
    assert stored.payload.exists()
    shutil.rmtree(three.folder / "elsewhere")
    cleaned(capsys, "--keep", "1")
    assert not stored.payload.exists()


def test_removes_unfinished_reports_of_a_killed_run(three, capsys):
    (three.store.root / "reports" / ".0003.abc" / "0003").mkdir(parents=True)
    cleaned(capsys)
    assert names(three, "reports") == {"0001", "0002", "0003"}


@pytest.mark.parametrize(("verdict", "stays"), [("interrupted", True), ("running", True), ("promoted", False)])
def test_keeps_checkpoints_if_one_of_the_last_runs_did_not_finish(three, capsys, verdict, stays):
    checkpoints = three.store.root / ".staging" / "train-abc" / "payload" / "checkpoints"
    checkpoints.mkdir(parents=True)
    add_run(three, three.run(limit=12), verdict)
    with three.store.staging("orphan", "f" * 64):
        orphan = three.store.commit("orphan", "f" * 64, {}).name
    cleaned(capsys, "--keep", "1")
    assert checkpoints.exists() == stays
    assert (orphan in names(three)) == stays


def test_crash_leaves_no_incomplete_artifact(three, capsys, monkeypatch):
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
        assert three.store.by_name(entry.name).damage() is None
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


def test_removes_nothing_during_a_run(three, capsys):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    run = context.Process(target=hold, args=(three.store.root, ready, done))
    run.start()
    ready.wait(60)
    before = sorted(three.store.root.rglob("*"))
    assert main(["clean", "--keep", "1"]) == 1
    assert "another command is using runs: nothing was done, try again" in capsys.readouterr().err
    assert sorted(three.store.root.rglob("*")) == before
    done.set()
    run.join(60)
    cleaned(capsys, "--keep", "1")


def test_run_that_starts_meanwhile_waits(three):
    context = multiprocessing.get_context("spawn")
    waiting, seen = context.Event(), context.Queue()
    run = context.Process(target=take, args=(three.store.root, waiting, seen))
    with three.store.exclusive():
        run.start()
        waiting.wait(60)
        (three.store.root / "cleaned").touch()
    assert seen.get(timeout=600)
    run.join(60)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("--keep", "0"), "--keep 0: give 1 or more"), (("--runs", "nowhere"), "nowhere has no runs")],
)
def test_wrong_argument_is_refused(three, capsys, arguments, sentence):
    assert main(["clean", *arguments]) == 2
    assert sentence in capsys.readouterr().err
