"""Runs that are stopped by a signal at a moment that is certain, and what has to be true afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import Project
from tests.e2e.test_tiny import STEPS

# A component sends the signal to its own process; its key is made from the source files and stays as it is.
IN_A_STEP = """
import functools, importlib, os, runpy, signal, subprocess, sys

step, moment, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
del sys.argv[1:4]
component = importlib.import_module("components." + step)
run = component.run
communicate = subprocess.Popen.communicate

@functools.wraps(run)
def stopped(*given, **named):
    if moment == "before":
        signal.raise_signal(number)
    if moment == "child":
        subprocess.Popen.communicate = stopped_with_its_child
    made = run(*given, **named)
    signal.raise_signal(number)
    return made

def stopped_with_its_child(process, *given, **named):
    os.kill(process.pid, number)
    signal.raise_signal(number)
    return communicate(process, *given, **named)

component.run = stopped
runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Chain:
    """A project whose runs are stopped, one after the other, each a little further than the one before.

    Attributes:
        project: where they run.
        data_dir: the prepared data set `tiny`.
        undisturbed: the digest of every artifact, of a project with one run without a stop.
        version: the files of the version that it promoted.
    """

    project: Project
    data_dir: Path
    undisturbed: dict[str, str]
    version: dict[str, str]

    def stop(self, step: str, moment: str, number: int, exit_code: int) -> None:
        """Stops a run in a step; the answer has to be the right one, and nothing half made may stand anywhere."""
        data, registry = contents(self.data_dir), self.project.registry()
        done = self.project.python("-c", IN_A_STEP, step, moment, str(number), "run", *flags(self.data_dir))
        assert done.returncode == exit_code, done.stdout + done.stderr
        assert f" at {step} after " in done.stdout
        assert "Traceback" not in done.stdout
        assert done.stderr == ""
        assert self.project.last_run()["verdict"] == "interrupted"
        assert self.project.outcomes()[step] == "failed"
        require_tidy(self.project)
        assert contents(self.data_dir) == data
        if (step, moment) == ("promote", "after"):
            # What was published is no longer to be taken back.
            assert contents(self.project.folder / "models/tiny/1") == self.version
        else:
            assert self.project.registry() == registry

    def require_completed_as_undisturbed(self) -> None:
        """The same command, left alone, ends with the bytes that it would have had at once."""
        done = self.project.command("pipeline", "run", *flags(self.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        digests = self.project.digests()
        assert {step: digests[step] for step in STEPS[:-1]} == self.undisturbed
        assert contents(self.project.folder / "models/tiny/1") == self.version
        assert list((self.project.folder / "runs/.staging").iterdir()) == []
        require_tidy(self.project)


def stopped_chain(reference: Project, project: Project, data_dir: Path) -> Chain:
    """A chain in a new project; a project that one run completed is the reference."""
    digests = reference.digests()
    version = contents(reference.folder / "models/tiny/1")
    return Chain(project, data_dir, {step: digests[step] for step in STEPS[:-1]}, version)


def flags(data_dir: Path) -> tuple[str, ...]:
    return ("--dataset", "tiny", "--data-dir", str(data_dir), "--evaluate.min-accuracy", "0.95")


def require_tidy(project: Project) -> None:
    """No artifact without a record, nothing staged but checkpoints, nothing hidden but memories of drawings."""
    runs = project.folder / "runs"
    assert all((artifact / "record.json").is_file() for artifact in runs.glob("artifacts/*"))
    for file in (file for file in runs.glob(".staging/**/*") if file.is_file()):
        step, *inside = file.relative_to(runs / ".staging").parts
        assert (step.partition("-")[0], inside) == ("train", ["payload", "checkpoints", "epoch.npz"])
    assert all(staged.name.startswith("train-") for staged in runs.glob(".staging/*"))
    hidden = [file for file in project.folder.rglob(".*") if file.name not in (".staging", ".lock", ".parts")]
    assert hidden == []
    assert all(json.loads(file.read_text())["verdict"] != "running" for file in runs.glob("history/*"))


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def stop_from_outside(process: subprocess.Popen[str], ready: Callable[[str], bool], *numbers: int) -> str:
    """Sends signals to a job as a terminal does, once a line of its output says so. Returns: all it printed."""
    assert process.stdout is not None
    output = []
    with process:
        for line in process.stdout:
            output.append(line)
            if numbers and ready(line):
                for number in numbers:
                    os.killpg(process.pid, number)
                numbers = ()
        process.wait(timeout=300)
    return "".join(output)
