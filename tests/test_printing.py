"""Standard streams that are closed, full or without a reader change nothing that a command does."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from pipeline.records.run_history import RunHistory
from serving.registry.registry import Registry
from tests.conftest import ROOT
from tests.pipeline.requests import begun
from tests.serving.tiny_bundle import publish, random_images, seal

PLACES = ("closed", "full", "unread")
# By name: where standard output and standard error lead.
STREAMS = {
    **{f"output {place}": (place, "read") for place in PLACES},
    **{f"errors {place}": ("read", place) for place in PLACES},
    **{f"both {place}": (place, place) for place in PLACES},
}


@pytest.fixture
def project(tmp_path):
    """Two versions of a model, the second one serves; images; and three runs with many files."""
    registry = Registry(tmp_path / "models")
    for seed in range(2):
        publish(registry, seal(tmp_path / str(seed), seed=seed), run=f"000{seed + 1}", accuracy=0.9)
    np.save(tmp_path / "images.npy", random_images(50))
    history = RunHistory(tmp_path / "runs")
    for _ in range(3):
        begun(history)
    (tmp_path / "runs/logs").mkdir()
    for number in range(200):
        (tmp_path / f"runs/logs/0001-{number}.log").touch()
    return tmp_path


@contextmanager
def stream(place):
    """What a process gets as its stream."""
    if place == "full":
        with open("/dev/full", "wb") as full:
            yield full
    elif place == "unread":
        reader, writer = os.pipe()
        os.close(reader)
        yield writer
        os.close(writer)
    else:
        # The shell closes it.
        yield subprocess.PIPE


def run(folder, streams, *arguments):
    places = dict(zip((1, 2), STREAMS[streams], strict=True))
    closed = " ".join(f"{number}>&-" for number, place in places.items() if place == "closed")
    command = ["sh", "-c", f'exec "$0" -m "$@" <&- {closed}', sys.executable, *arguments]
    with ExitStack() as stack:
        out, err = (stack.enter_context(stream(place)) for place in places.values())
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=err,
            text=True,
            check=False,
        )


@pytest.mark.parametrize("streams", STREAMS)
def test_command_does_its_work_and_ends_as_it_would(project, streams):
    assert run(project, streams, "pipeline", "rollback", "tiny", "--reason", "slow").returncode == 0
    assert Registry(project / "models").promoted("tiny").version == 1
    assert run(project, streams, "pipeline", "clean", "--keep", "1").returncode == 0
    assert list((project / "runs/logs").iterdir()) == []
    assert run(project, streams, "serving.batch_score", "images.npy").returncode == 0
    assert len((project / "images.predictions.csv").read_text().splitlines()) == 51


@pytest.mark.parametrize("streams", ["both closed", "both full", "both unread"])
def test_refusal_keeps_its_exit_code(project, streams):
    assert run(project, streams, "pipeline", "history", "other").returncode == 2
    assert run(project, streams, "serving.batch_score", "other.npy").returncode == 2


@pytest.mark.parametrize("streams", ["output full", "output unread", "both closed"])
@pytest.mark.parametrize("command", [("history", "tiny"), ("runs",), ("run", "--help"), ("--help",)])
def test_output_that_is_all_a_command_makes_must_be_written(project, streams, command):
    done = run(project, streams, "pipeline", *command)
    lost = STREAMS[streams][0] == "full"
    assert done.returncode == lost
    if STREAMS[streams][1] == "read":
        sentence = "the output could not be written: No space left on device: give it a place with room\n"
        assert done.stderr == (sentence if lost else "")
