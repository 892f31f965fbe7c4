"""environment: settings of other programs and parts of the keys are named, and nothing else."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from pipeline.engine.process_settings import FIXED, PREFIXES, settings_in_key
from pipeline.health.environment import SYMBOLS, environment_findings, stream_findings
from pipeline.health.finding import Finding


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """An environment without settings, and an empty home."""
    for name in [*settings_in_key(PREFIXES), *FIXED]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_nothing_is_set():
    assert list(environment_findings()) == [Finding("ok", "environment", "no setting of a library changes values")]


def test_settings_that_runs_do_not_use_are_named(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    assert [finding.message for finding in environment_findings()] == [
        "KERAS_BACKEND=jax is not used: runs set it to tensorflow",
        "KERAS_MAX_EPOCHS=1 is not used: runs remove it",
    ]


def test_settings_in_the_keys_are_named(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    (found,) = environment_findings()
    assert found == Finding(
        "note",
        "environment",
        "TF_ENABLE_ONEDNN_OPTS=0 may change values: it is a part of the keys, so runs without it make other artifacts",
    )


@pytest.mark.parametrize("place", ["home", "KERAS_HOME"])
def test_other_keras_json_is_named(monkeypatch, tmp_path, place):
    folder = tmp_path / ".keras"
    folder.mkdir()
    (folder / "keras.json").write_text(json.dumps({"floatx": "float64", "backend": "tensorflow"}))
    if place == "KERAS_HOME":
        monkeypatch.setenv("HOME", os.devnull)
        monkeypatch.setenv("KERAS_HOME", str(folder))
    messages = [finding.message for finding in environment_findings()]
    assert messages[-1] == (
        f"{folder}/keras.json sets floatx to float64, which is not used: runs have their own keras.json"
    )
    assert len(messages) == (2 if place == "KERAS_HOME" else 1)


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_damaged_keras_json_is_not_a_finding(tmp_path, content):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text(content)
    assert [finding.state for finding in environment_findings()] == ["ok"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_stream_that_cannot_print_every_character_is_noted(monkeypatch, encoding):
    assert [finding.state for finding in stream_findings()] == ["ok"]
    for name in ("stdout", "stderr"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
        monkeypatch.setattr(sys, name, stream)
    first, second = stream_findings()
    escaped = ascii(SYMBOLS).strip("'")
    message = f"standard output has the encoding {encoding}, so {SYMBOLS} is printed as {escaped}"
    assert first == Finding("note", "streams", f"{message}: set PYTHONIOENCODING=utf-8")
    assert second.message.startswith("standard error has the encoding")
