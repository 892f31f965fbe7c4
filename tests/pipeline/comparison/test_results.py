"""results: what a comparison reads from a run, also from one that failed or was refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pipeline.comparison.child_process import newest_record
from pipeline.comparison.results import read_result, training_run
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.records.run_history import Record
from serving.wilson import wilson_interval
from tests.pipeline.requests import recorded

CONFIG, _ = recorded()

UNFINISHED = "its run did not finish (exit code -9): run this preset alone to see why"


def record(run: str, verdict: str, *steps: Outcome) -> Record:
    return Record(run, "2026-01-02T03:04:05+00:00", verdict, 20.0, (), CONFIG, steps, {})


def trained(outcome: str, artifact: str) -> Outcome:
    return Outcome("train", outcome, 12.0, artifact, passed=True)


FAILED = Outcome("train", "failed", reasons=("diverged",), exit_code=1)
REFUSED = Outcome("validate", "executed", artifact="validate-1", reasons=("a class is missing",))


@pytest.mark.parametrize(
    ("found", "verdict", "run", "step", "reasons"),
    [
        (None, "failed", None, None, (UNFINISHED,)),
        (
            record("0001", "running"),
            "failed",
            "0001",
            None,
            (UNFINISHED,),
        ),
        (record("0002", "failed", FAILED), "failed", "0002", "train", ("diverged",)),
        (record("0003", "refused", REFUSED), "refused", "0003", "validate", ("a class is missing",)),
    ],
)
def test_result_of_a_run_without_an_evaluation(found, verdict, run, step, reasons, tmp_path):
    result = read_result("mine", found, -9, [], Store(tmp_path))
    entry = result.entry
    assert (entry.verdict, entry.run, entry.step, entry.reasons) == (verdict, run, step, reasons)
    assert (entry.accuracy, entry.rate, result.correct) == (None, None, None)


def test_training_run_is_the_newest_that_executed_the_training():
    first, second = (
        record("0001", "passed", trained("executed", "a")),
        record("0002", "passed", trained("executed", "b")),
    )
    again = record("0003", "passed", trained("cached", "a"))
    assert training_run(again, [first, second, again]) is first
    assert training_run(again, [second, again]) is None
    # As with --force, or after the artifact was deleted.
    forced = record("0004", "passed", trained("executed", "a"))
    assert training_run(again, [first, second, again, forced]) is forced


def test_record_is_found_by_its_arguments_and_a_finished_run_is_preferred():
    mine, running = record("0009", "passed"), record("0010", "running")
    other = replace(record("0011", "passed"), arguments=("--seed", "3"))
    assert newest_record([mine, running, other], ()) is mine
    assert newest_record([running, other], ()) is running
    assert newest_record([other], ()) is None


@pytest.fixture
def stored_run(made, tmp_path):
    """A store, and the record of a run whose artifacts are in it."""

    def run(resumed=False):
        store, steps = Store(tmp_path / "runs"), []
        artifacts = {"ingest": made.examples, "train": made.model, "evaluate": made.evaluation, "export": made.bundle}
        for step, artifact in artifacts.items():
            with store.staging(step, "0" * 64) as out:
                shutil.copytree(artifact.path, out, dirs_exist_ok=True)
                if resumed and step == "train":
                    replace(made.model, path=out).write_resumed()
                kept = store.commit(step, "0" * 64, {})
            steps.append(Outcome(step, "executed", 3.5, kept.name, kept.sha256, passed=True))
        return store, record("0001", "passed", *steps)

    return run


def test_values_are_those_of_the_artifacts(made, stored_run):
    store, mine = stored_run()
    result = read_result("mine", mine, 0, [mine], store)
    labels = made.examples.all_labels("test")
    correct = made.evaluation.probabilities().argmax(axis=1) == labels
    entry = result.entry
    assert (entry.verdict, entry.reasons, entry.rows, entry.correct) == ("passed", (), len(labels), correct.sum())
    assert entry.interval == wilson_interval(int(correct.sum()), len(labels))
    assert (entry.training_seconds, entry.run_seconds, entry.epochs) == (3.5, 20.0, 8)
    assert entry.onnx_bytes == (made.bundle.opened().path / "model.onnx").stat().st_size
    assert np.array_equal(result.correct, correct)
    assert result.test_sha256 == made.examples.sha256("test")


def test_resumed_training_has_no_duration(stored_run):
    store, mine = stored_run(resumed=True)
    entry = read_result("mine", mine, 0, [mine], store).entry
    assert entry.rows > 0
    assert (entry.training_seconds, entry.run_seconds) == (None, None)


def test_missing_artifact_is_a_failure_with_a_reason(tmp_path):
    gone = record(
        "0001", "passed", trained("executed", "a"), Outcome("evaluate", "executed", artifact="e", passed=True)
    )
    entry = read_result("mine", gone, 0, [gone], Store(tmp_path)).entry
    assert entry.verdict == "failed"
    assert "is no longer in" in entry.reasons[0]
