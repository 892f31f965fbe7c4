"""promote: only an unchanged artifact of a run that passed its gates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import components.promote
from components.artifacts.artifact import RuleResult
from components.artifacts.verification import Verification
from pipeline.__main__ import main
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.records.run_history import RunHistory
from serving.errors import BeamlineError
from serving.registry.pointer import lock_pointer
from serving.registry.registry import Registry
from tests.components.candidates import Candidates
from tests.conftest import ROOT
from tests.pipeline.requests import begun
from tests.serving.tiny_bundle import publish, seal

KEY = "a" * 64
PROMOTE = ["promote", "1", "--reason", "manually"]


@pytest.fixture
def verification(made, tmp_path):
    (tmp_path / "verification").mkdir()
    return Verification(
        path=tmp_path / "verification",
        bundle_sha256=made.bundle.sha256,
        rows=200,
        correct=made.evaluation.correct,
        disagreements=(),
        max_difference=0.0,
        rules=(RuleResult("classes", True, "they agree"),),
    ).save()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Store(Path("runs"))


def commit(store, step, path):
    with store.staging(step, KEY) as out:
        shutil.copytree(path, out, dirs_exist_ok=True)
        stored = store.commit(step, KEY, {})
    return Outcome(step, "executed", 1.0, stored.name, stored.sha256, True)


@pytest.fixture
def remember(store, made, verification):
    """Keeps run 1, whose steps made what the components made of the small data set, or what is given."""

    def keep(dataset="tiny", without=(), **others):
        artifacts = {
            "ingest": made.examples,
            "evaluate": made.evaluation,
            "export": made.bundle,
            "verify": verification,
        }
        steps = [commit(store, step, (others.get(step) or artifacts[step]).path) for step in artifacts]
        history = RunHistory(store.root)
        record = begun(history, "--dataset", dataset, "--model", "tiny", run="0001")
        history.finish(replace(record, steps=tuple(step for step in steps if step.name not in without)))

    return keep


def serving():
    return Registry(Path("models")).promoted("tiny")


def test_promotes_the_model_with_the_given_reason(remember, made, capsys):
    remember()
    assert main(PROMOTE) == 0
    assert capsys.readouterr().out.startswith("tiny version 1 serves now")
    assert (serving().sha256, serving().run, serving().event.reason) == (made.bundle.sha256, "0001", "manually")


def test_model_that_only_its_owner_can_read_is_named_on_standard_error(remember):
    remember()
    Path("models").mkdir(mode=0o700)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *PROMOTE],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.startswith("models can be read only by its owner, so a server of another user cannot load tiny")
    assert done.stderr.count("\n") == 1


def test_served_version_is_not_promoted_twice(remember, capsys):
    remember()
    assert main(PROMOTE) == 0
    before = serving()
    capsys.readouterr()
    assert main([*PROMOTE[:-1], "another reason"]) == 0
    assert capsys.readouterr().out == "tiny version 1 serves already: nothing changed, and the reason is not recorded\n"
    assert serving() == before
    assert "another reason" not in Path("models/tiny/history.jsonl").read_text()


@pytest.mark.parametrize("step", ["ingest", "evaluate", "export", "verify"])
def test_run_that_stopped_earlier_has_nothing_to_promote(remember, capsys, step):
    remember(without=(step,))
    assert main(PROMOTE) == 3
    assert f"run 0001 has nothing to promote: it stopped before {step}" in capsys.readouterr().err
    assert serving() is None


def test_refused_model_is_not_promoted_manually(remember, verification, capsys):
    remember(verify=replace(verification, passed=False, reasons=("they differ",)).save())
    assert main(PROMOTE) == 3
    assert "they differ; the served version is unchanged" in capsys.readouterr().err
    assert serving() is None


def test_message_has_the_reasons_of_the_refusal(remember, store, capsys):
    remember()
    record = RunHistory(store.root).read("1")
    refused = Outcome("export", "refused", reasons=("refused by evaluate: too low",))
    steps = [refused if step.name == "export" else step for step in record.steps]
    RunHistory(store.root).finish(replace(record, steps=tuple(steps)))
    assert main(PROMOTE) == 3
    assert "has nothing to promote: export has no artifact (refused by evaluate: too low" in capsys.readouterr().err


def test_damaged_artifact_is_refused_with_the_name_of_the_file(remember, store, capsys):
    remember()
    with (store.root / f"artifacts/export-{KEY[:12]}/payload/model.onnx").open("ab") as model:
        model.write(b"more")
    assert main(PROMOTE) == 4
    assert "the output of export was changed after it was stored (model.onnx was changed)" in capsys.readouterr().err
    assert serving() is None


def test_rolled_back_version_serves_again_on_request(remember, tmp_path):
    publish(Registry(Path("models")), seal(tmp_path / "first"), accuracy=0.5)
    remember()
    assert main([*PROMOTE, "--promote.compare", "off"]) == 0
    with lock_pointer(Registry(Path("models")), "tiny") as pointer:
        pointer.roll_back(None, "slow at night")
    assert main([*PROMOTE, "--promote.compare", "off"]) == 0
    assert serving().version == 2


def test_artifact_of_another_run_is_not_used(remember, store, verification, capsys):
    remember()
    commit(store, "verify", replace(verification, rows=199).save().path)
    assert main(PROMOTE) == 2
    assert "run 0001: the output of verify is no longer in runs: repeat the run" in capsys.readouterr().err
    assert serving() is None


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"rules": [{}]}'])
def test_artifact_of_another_release_is_one_sentence(remember, verification, capsys, content):
    (verification.path / "verification.json").write_text(content)
    remember(verify=verification)
    assert main(PROMOTE) == 1
    assert "run 0001: the artifact of verify cannot be read (" in capsys.readouterr().err
    assert serving() is None


@pytest.mark.parametrize(
    ("dataset", "more", "code"),
    [("tiny", (), 3), ("digits", (), 0), ("tiny", ("--promote.max-drop-fraction", "0.03"), 0)],
)
def test_limit_of_the_drop_is_that_of_the_data_set_unless_one_is_given(
    remember, made, verification, tmp_path, capsys, dataset, more, code
):
    candidates = Candidates(tmp_path / "candidates", made.evaluation, verification)
    second = candidates.candidate(candidates.examples(100), [1, 2])
    given = (second.examples, second.evaluation, second.bundle, second.verification)
    remember(dataset, **dict(zip(("ingest", "evaluate", "export", "verify"), given, strict=True)))
    first = seal(tmp_path / "first", dataset="by-hand")
    publish(Registry(Path("models")), first, accuracy=1.0, test_sha256=second.examples.sha256("test"))
    assert main([*PROMOTE, "--promote.compare", "off", *more]) == code
    text = capsys.readouterr()
    assert "(best promoted accuracy 1.0000, version 1, minus " in text.out + text.err


def test_clean_waits_for_a_promotion(remember, store, monkeypatch):
    remember()
    promoted = components.promote.run

    def watched(*given):
        with pytest.raises(BeamlineError, match="another command is using"), store.exclusive():
            pass
        return promoted(*given)

    monkeypatch.setattr(components.promote, "run", watched)
    assert main(PROMOTE) == 0
    assert serving() is not None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
def test_full_registry_is_one_sentence_and_nothing_is_half_made(remember, capsys, monkeypatch):
    def copyfile(source, target, really=shutil.copyfile):
        # From the second file on, nothing fits.
        if Path(target).name != "manifest.json":
            Path(target).symlink_to("/dev/full")
        return really(source, target)

    remember()
    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", copyfile)
        assert main(PROMOTE) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("promote: the disk of --models models is full (No space left on device: ")
    assert printed.err.endswith("or give another folder with --models; nothing serves yet\n")
    assert printed.err.count("\n") == 1
    assert [entry.name for entry in Path("models/tiny").iterdir()] == [".lock"]
    assert main(PROMOTE) == 0
