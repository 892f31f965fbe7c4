"""results: runs that ended before they could be judged are rows too."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pipeline.comparison.results import read_result, trained_by
from pipeline.comparison.runs import own
from pipeline.history import Record
from pipeline.outcome import Outcome
from pipeline.store import Store
from serving.wilson import wilson_interval


def record(run: str, verdict: str, *steps: Outcome) -> Record:
    return Record(run, "2026-01-02T03:04:05+00:00", verdict, 20.0, (), {}, steps, {})


def trained(outcome: str, artifact: str) -> Outcome:
    return Outcome("train", outcome, 12.0, artifact, passed=True)


FAILED = Outcome("train", "failed", reasons=("diverged",), exit_code=1)
REFUSED = Outcome("validate", "executed", artifact="validate-1", reasons=("a class is missing",))


@pytest.mark.parametrize(
    ("found", "verdict", "run", "step", "reasons"),
    [
        (None, "failed", None, None, ("its process ended with -9",)),
        (record("0001", "running"), "failed", "0001", None, ("its process ended with -9",)),
        (record("0002", "failed", FAILED), "failed", "0002", "train", ("diverged",)),
        (record("0003", "refused", REFUSED), "refused", "0003", "validate", ("a class is missing",)),
    ],
)
def test_what_was_not_evaluated(found, verdict, run, step, reasons, tmp_path):
    result = read_result("mine", found, -9, [], Store(tmp_path))
    entry = result.entry
    assert (entry.verdict, entry.run, entry.step, entry.reasons) == (verdict, run, step, reasons)
    assert (entry.accuracy, entry.rate, result.outcomes) == (None, None, None)


def test_model_was_trained_by_the_newest_run_that_executed_it():
    first, second = (
        record("0001", "passed", trained("executed", "a")),
        record("0002", "passed", trained("executed", "b")),
    )
    again = record("0003", "passed", trained("cached", "a"))
    assert trained_by(again, [first, second, again]) is first
    assert trained_by(again, [second, again]) is None
    # As with --force, or after the artifact was taken away.
    forced = record("0004", "passed", trained("executed", "a"))
    assert trained_by(again, [first, second, again, forced]) is forced


def test_run_is_known_by_what_it_was_told_and_one_that_ended_goes_before_one_that_runs():
    mine, running = record("0009", "passed"), record("0010", "running")
    other = replace(record("0011", "passed"), arguments=("--seed", "3"))
    assert own([mine, running, other], ()) is mine
    assert own([running, other], ()) is running
    assert own([other], ()) is None


@pytest.fixture
def judged(made, tmp_path):
    """A store and the record of a run whose artifacts, of the small data set, are in it."""

    def run(resumed=False):
        store, steps = Store(tmp_path / "runs"), []
        artifacts = {"ingest": made.examples, "train": made.model, "evaluate": made.evaluation, "export": made.bundle}
        for step, artifact in artifacts.items():
            with store.staging(step, "0" * 64) as out:
                shutil.copytree(artifact.path, out, dirs_exist_ok=True)
                if resumed and step == "train":
                    replace(made.model, path=out).write_resumed()
                kept = store.commit(step, "0" * 64, {})
            steps.append(Outcome(step, "executed", 3.5, kept.folder, kept.sha256, passed=True))
        return store, record("0001", "passed", *steps)

    return run


def test_figures_are_those_of_the_artifacts(made, judged):
    store, mine = judged()
    result = read_result("mine", mine, 0, [mine], store)
    labels = made.examples.all_labels("test")
    right = made.evaluation.probabilities().argmax(axis=1) == labels
    entry = result.entry
    assert (entry.verdict, entry.reasons, entry.rows, entry.correct) == ("passed", (), len(labels), right.sum())
    assert entry.interval == wilson_interval(int(right.sum()), len(labels))
    assert (entry.training_seconds, entry.run_seconds, entry.epochs) == (3.5, 20.0, 8)
    assert entry.onnx_bytes == (made.bundle.opened().path / "model.onnx").stat().st_size
    assert np.array_equal(result.outcomes.correct, right)
    assert result.outcomes.sha256 == made.examples.sha256("test")


def test_of_a_training_that_was_interrupted_no_time_is_told(judged):
    store, mine = judged(resumed=True)
    entry = read_result("mine", mine, 0, [mine], store).entry
    assert entry.rows > 0
    assert (entry.training_seconds, entry.run_seconds) == (None, None)


def test_artifacts_that_are_gone_are_told(tmp_path):
    gone = record(
        "0001", "passed", trained("executed", "a"), Outcome("evaluate", "executed", artifact="e", passed=True)
    )
    entry = read_result("mine", gone, 0, [gone], Store(tmp_path)).entry
    assert entry.verdict == "failed"
    assert "is no longer in" in entry.reasons[0]
