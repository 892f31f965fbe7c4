"""schema: what a run's training data are like, also of a run that was refused, and never over another file."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from components.artifacts.reference import Reference
from pipeline.__main__ import main
from pipeline.history import History
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.store import Store

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
            steps.append(Outcome(step, "executed", 1.0, stored.folder, stored.sha256, True))
        steps.append(Outcome("validate", "executed", 1.0, "validate-a", "b", False, ("leaks",)))
        history = History(store.root)
        record = history.begin("0001", parse_run(["--dataset", "tiny"]))
        kept = tuple(step for step in steps if step.name not in without)
        history.finish(replace(record, verdict="refused", steps=kept))

    return keep


def test_schema_is_that_of_the_training_split(remember, made, capsys):
    remember()
    assert main(["schema", "1", "--out", "frozen.json"]) == 0
    assert Reference.load(Path("frozen.json")) == Reference.of(made.examples, made.statistics.splits["train"])
    assert "python -m pipeline run --validate.schema frozen.json" in capsys.readouterr().out


def test_it_is_the_file_that_the_bundle_carries(remember, made):
    remember()
    assert main(["schema", "0001"]) == 0
    assert Path("schema.json").read_bytes() == (made.bundle.path / "schema.json").read_bytes()


def test_other_file_is_written_over_only_when_told(remember, capsys):
    remember()
    file = Path("schema.json")
    file.write_text("somebody's own")
    assert main(["schema", "1"]) == 2
    assert "schema.json exists and is another file: give another place, or --overwrite" in capsys.readouterr().err
    assert file.read_text() == "somebody's own"
    assert main(["schema", "1", "--overwrite"]) == 0
    assert json.loads(file.read_text())["dataset"] == "tiny"
    assert main(["schema", "1"]) == 0


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("nowhere/schema.json", "cannot be written: No such file or directory: give another place"),
        ("runs", "is no plain file: give a file's name"),
        (".", "is no plain file: give a file's name"),
        ("/dev/null", "is no plain file: give a file's name"),
    ],
)
def test_place_that_cannot_be_written_is_one_sentence(remember, capsys, out, words):
    remember()
    assert main(["schema", "1", "--out", out, "--overwrite"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"schema: --out {out} {words}")
    assert said.count("\n") == 1


def test_run_that_counted_nothing_has_no_schema(remember, capsys):
    remember(without=("analyze",))
    assert main(["schema", "1"]) == 2
    assert "run 0001 has no schema, analyze made nothing: it did not come so far" in capsys.readouterr().err


def test_changed_statistics_are_refused(remember, store, capsys):
    remember()
    (file,) = store.root.glob("artifacts/analyze-*/payload/statistics.json")
    file.write_text(file.read_text().replace("600", "601"))
    assert main(["schema", "1"]) == 4
    assert "statistics.json was changed" in capsys.readouterr().err
    assert not Path("schema.json").exists()
