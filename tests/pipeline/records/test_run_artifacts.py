"""run_artifacts: an artifact is loaded only if it is unchanged, and is checked once."""

from __future__ import annotations

import shutil

import pytest

from components.artifacts.artifact import RuleResult
from components.artifacts.verification import Verification
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store, Stored
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import Record
from serving.errors import BeamlineError, BundleError, InputError

CONFIG = {"model": "m", "models": "models", "ingest": {"dataset": "d"}, "train": {"preset": "p"}}


@pytest.fixture
def run(tmp_path):
    """A run that made a verification; the step promote was refused."""
    store = Store(tmp_path / "runs")
    store.root.mkdir()
    with store.staging("verify", "a" * 64) as out:
        Verification(
            path=out,
            bundle_sha256="b",
            rows=9,
            correct=8,
            disagreements=(),
            max_difference=0.0,
            rules=(RuleResult("probabilities", True, "equal"),),
        ).save()
        stored = store.commit("verify", "a" * 64, {})
    outcomes = (
        Outcome("verify", "executed", artifact=stored.name, sha256=stored.sha256, passed=True),
        Outcome("promote", "refused", reasons=("first", "second")),
    )
    return RunArtifacts(Record("0001", "2026-01-02", "refused", 1.0, (), CONFIG, outcomes, {}), store)


def test_artifact_is_loaded(run):
    assert run.load("verify", Verification).rows == run.load_unchecked("verify", Verification).rows == 9
    assert run.digests == {"verify": run.outcomes["verify"].sha256}


def test_bytes_are_checked_once(run, monkeypatch):
    checked = []
    real = Stored.damage
    monkeypatch.setattr(Stored, "damage", lambda stored: checked.append(stored.name) or real(stored))
    run.load_unchecked("verify", Verification)
    assert checked == []
    run.load("verify", Verification)
    run.load("verify", Verification)
    assert checked == [run.outcomes["verify"].artifact]


def test_missing_artifact_has_a_reason(run):
    assert run.missing_reason("verify") is None
    assert run.missing_reason("promote") == "promote has no artifact (first; second)"
    assert run.missing_reason("train") == "it stopped before train"


def test_changed_artifact_is_refused(run):
    file = next(run.store.payload(run.outcomes["verify"].artifact_name).glob("*.json"))
    file.write_text(file.read_text() + " ")
    with pytest.raises(BundleError, match=r"run 0001: the output of verify was changed .*\(.* was changed\): delete"):
        run.load("verify", Verification)


def test_deleted_artifact_is_an_input_error(run):
    shutil.rmtree(run.store.artifact_folder(run.outcomes["verify"].artifact_name))
    with pytest.raises(InputError, match=r"run 0001: the output of verify is no longer in .*: repeat the run"):
        run.load("verify", Verification)


@pytest.mark.parametrize("content", ["[]", "{}", "[" * 5000, "not JSON"])
def test_artifact_that_cannot_be_read_names_the_run_and_the_step(run, content):
    next(run.store.payload(run.outcomes["verify"].artifact_name).glob("*.json")).write_text(content)
    with pytest.raises(BeamlineError, match=r"run 0001: the artifact of verify cannot be read \("):
        run.load_unchecked("verify", Verification)
