"""program: help and messages name the commands as the user typed them."""

from __future__ import annotations

import importlib
import sys

import pytest

from serving.process import program


@pytest.fixture
def started(monkeypatch):
    """The module, imported in a process that was started with this first argument."""

    def start(argument):
        monkeypatch.setattr(sys, "argv", [argument])
        return importlib.reload(program)

    yield start
    monkeypatch.undo()
    importlib.reload(program)


@pytest.mark.parametrize(
    "argument", ["/src/pipeline/__main__.py", "/src/serving/batch_score.py", "-c", "", "/x/pytest"]
)
def test_modules_are_named_if_no_console_script_started_the_process(started, argument):
    found = started(argument)
    assert (found.PIPELINE, found.SCORER) == ("python -m pipeline", "python -m serving.batch_score")
    assert found.pipeline_arguments() == ["-m", "pipeline"]


@pytest.mark.parametrize("argument", ["/venv/bin/beamline", "beamline", "/venv/bin/beamline-score"])
def test_console_scripts_are_named_if_one_started_the_process(started, argument):
    found = started(argument)
    assert (found.PIPELINE, found.SCORER) == ("beamline", "beamline-score")


def test_pipeline_is_started_again_in_the_same_way(started):
    assert started("/venv/bin/beamline").pipeline_arguments() == ["/venv/bin/beamline"]
    assert started("/venv/bin/beamline-score").pipeline_arguments() == ["-m", "pipeline"]
