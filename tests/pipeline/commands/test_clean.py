"""clean: the files of promoted versions and of the last runs are kept, the others are removed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from pipeline.__main__ import main
from pipeline.comparison.comparison import reserve_file
from pipeline.engine.outcome import Outcome
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import RunHistory
from pipeline.report.figures.figure_list import PICTURES
from serving.registry.registry import Registry
from tests.pipeline.commands.logged_runs import add_run
from tests.pipeline.requests import begun
from tests.serving.tiny_bundle import publish, seal


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
    # Each run made an artifact, so the history is kept; and the kept artifacts are still used.
    assert len(RunHistory(three.store.root).records()) == 3
    assert {o.outcome for o in three.run(limit=12).values()} == {"cached"}


def test_dry_run_prints_the_same_and_removes_nothing(three, capsys):
    add_run(three, three.run(limit=12))
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


def test_removes_the_records_of_runs_that_made_nothing_new(three, capsys):
    nothing_to_do = [add_run(three, three.run(limit=12)) for _ in range(4)]
    failed = add_run(three, {"count": Outcome("count", "failed", reasons=("no data",), exit_code=1)}, "failed")
    last = add_run(three, three.run(limit=12))
    output = cleaned(capsys, "--keep", "1")
    assert names(three, "history") == {"0001.json", "0002.json", "0003.json", f"{last}.json"}
    for run in (*nothing_to_do, failed):
        assert f"runs/history/{run}.json" in output
    assert RunHistory(three.store.root).next_run() == f"{int(last) + 1:04d}"
    assert main(["diff", "1", last]) == 0
    assert main(["show", failed]) == 2
    assert "clean removes the records of runs that made nothing new" in capsys.readouterr().err


def test_number_of_the_last_comparison_is_not_given_again(three, capsys):
    folder = three.store.root / "comparisons"
    for run in ("0001", "0002"):
        file = reserve_file(three.store.root)
        file.write_text(json.dumps({"entries": [{"run": run}]}))
        file.with_suffix(".html").write_text("")
    cleaned(capsys, "--keep", "1")
    cleaned(capsys, "--keep", "1")
    assert [file.name for file in folder.iterdir()] == ["0002.json"]
    assert reserve_file(three.store.root).name == "0003.json"


def test_keeps_the_run_that_a_promotion_names(three, capsys):
    bundle = publish(Registry(three.folder / "models"), seal(three.folder / "sealed"), "tiny", "0002").sha256
    history = RunHistory(three.store.root)
    for run in ("0001", "0002"):
        history.finish(replace(history.read(run), figures={"bundle": bundle}))
    add_run(three, three.run(limit=12))
    cleaned(capsys, "--keep", "1")
    # The first one made the bundle, the second one promoted it.
    assert names(three, "logs") == {"0001.log", "0002.log", "0004.log"}


def test_drawings_of_kept_runs_stay(three, capsys):
    parts = three.store.root / "reports" / ".parts"
    parts.mkdir()
    history = RunHistory(three.store.root)
    made = Outcome("analyze", "executed", artifact="analyze-1", sha256="ab", passed=True)
    history.finish(replace(history.read("3"), steps=(*history.read("3").steps, made)))
    shown = RunArtifacts(history.read("3"), three.store)
    picture = next(picture for picture in PICTURES if picture.name == "class-balance.png")
    kept = parts / f"{picture.identity(shown)}-{'a' * 64}"
    for file in (kept, parts / f"{'0' * 64}-{'a' * 64}", parts / ".temporary"):
        file.write_text("drawing")
    cleaned(capsys, "--keep", "1")
    assert list(parts.iterdir()) == [kept]


def test_freed_is_what_the_disk_has_more_room_for(three, capsys):
    first = three.store.root / "reports" / "0001" / "curves.png"
    first.write_bytes(bytes(5_000_000))
    (three.store.root / "reports" / "0003" / "linked.png").hardlink_to(first)
    assert ", 0.0 MB freed" in cleaned(capsys, "--keep", "1")
    add_run(three, three.run(limit=12))
    assert ", 5.0 MB freed" in cleaned(capsys, "--keep", "1")


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
    began = begun(history, "--models", "elsewhere")
    exported = Outcome("export", "executed", artifact=stored.name, sha256=stored.sha256, passed=True)
    history.finish(replace(began, verdict="promoted", steps=(exported,)))
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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--keep", "0"), "--keep: '0': give a whole number, 1 to 1,000,000"),
        (("--runs", "nowhere"), "nowhere has no runs"),
    ],
)
def test_wrong_argument_is_refused(three, capsys, arguments, sentence):
    assert main(["clean", *arguments]) == 2
    assert sentence in capsys.readouterr().err
