"""schema: what a run's training data are like, also of a run that was refused, and never over another file."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from components.artifacts.schema import Schema
from pipeline.__main__ import main
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.records.run_history import RunHistory
from tests.pipeline.requests import begun

KEY = "a" * 64


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Store(Path("runs"))


@pytest.fixture
def remember(store, made):
    """Keeps run 1, which ingested and counted the small data set, and was refused by validate."""

    def keep(without=()):
        steps = []
        for step, artifact in {"ingest": made.examples, "analyze": made.statistics}.items():
            with store.staging(step, KEY) as out:
                shutil.copytree(artifact.path, out, dirs_exist_ok=True)
                stored = store.commit(step, KEY, {})
            steps.append(Outcome(step, "executed", 1.0, stored.name, stored.sha256, True))
        steps.append(Outcome("validate", "executed", 1.0, "validate-a", "b", False, ("leaks",)))
        history = RunHistory(store.root)
        record = begun(history, "--dataset", "tiny", run="0001")
        kept = tuple(step for step in steps if step.name not in without)
        history.finish(replace(record, verdict="refused", steps=kept))

    return keep


def test_schema_is_that_of_the_training_split(remember, made, capsys):
    remember()
    assert main(["schema", "1", "--out", "frozen.json"]) == 0
    assert Schema.load(Path("frozen.json")) == Schema.of(made.examples, made.statistics.splits["train"])
    assert "python -m pipeline run --validate.schema frozen.json" in capsys.readouterr().out


def test_it_is_the_file_that_the_bundle_carries(remember, made):
    remember()
    assert main(["schema", "0001"]) == 0
    assert Path("schema.json").read_bytes() == (made.bundle.path / "schema.json").read_bytes()


def test_other_file_is_replaced_only_with_overwrite(remember, capsys):
    remember()
    file = Path("schema.json")
    file.write_text("another program's own")
    assert main(["schema", "1"]) == 2
    message = "schema.json exists and is not this run's schema: move it away, give another path, or replace it"
    assert message in capsys.readouterr().err
    assert file.read_text() == "another program's own"
    assert main(["schema", "1", "--overwrite"]) == 0
    assert json.loads(file.read_text())["dataset"] == "tiny"
    assert main(["schema", "1"]) == 0


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("nowhere/schema.json", ": nowhere is not a folder: create it first, or give another path"),
        ("runs", " is a folder: give the name of a file"),
        (".", " is a folder: give the name of a file"),
        ("/dev/null", " is a pipe or a device: give the name of a file"),
    ],
)
def test_unwritable_path_is_one_sentence(remember, capsys, out, message):
    remember()
    assert main(["schema", "1", "--out", out, "--overwrite"]) == 2
    text = capsys.readouterr().err
    assert text.startswith(f"schema: --out {out}{message}")
    assert text.count("\n") == 1


def test_run_without_statistics_has_no_schema(remember, capsys):
    remember(without=("analyze",))
    assert main(["schema", "1"]) == 2
    assert "no schema can be made from run 0001: it stopped before analyze: give another run" in capsys.readouterr().err


def test_changed_statistics_are_refused(remember, store, capsys):
    remember()
    (file,) = store.root.glob("artifacts/analyze-*/payload/statistics.json")
    file.write_text(file.read_text().replace("600", "601"))
    assert main(["schema", "1"]) == 4
    assert "statistics.json was changed" in capsys.readouterr().err
    assert not Path("schema.json").exists()
