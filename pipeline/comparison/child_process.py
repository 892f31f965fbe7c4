"""Arguments of `run` -> a run in a child process: TensorFlow reads its number of threads only when it starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.records.run_history import KILLED, RUNNING, Record, RunHistory
from serving.interrupts import Terminated
from serving.process.child import child_environment, python_command
from serving.process.program import pipeline_arguments


def run_in_child_process(arguments: Sequence[str], runs: Path) -> tuple[int, Record | None]:
    """Runs the pipeline in a child process, which prints to the same screen.

    A failure, such as running out of memory, ends the child process only.

    Args:
        arguments: the arguments of `python -m pipeline run`.
        runs: the value of `--runs` in the arguments.

    Returns:
        The exit code, and the run's record; None if the process ended before it wrote one.
    """
    history = RunHistory(runs)
    first = int(history.next_run())
    code = _wait(python_command(*pipeline_arguments(), "run", *arguments))
    new = [run for run in history.runs() if int(run) >= first]
    # Another process may have started a run meanwhile. A finished run with the same arguments has the same results.
    return code, newest_record(history.readable(new), arguments)


def newest_record(records: Sequence[Record], arguments: Sequence[str]) -> Record | None:
    """The newest record of a run with these arguments, finished ones before all others; None if there is none."""
    matching = [record for record in records if record.arguments == tuple(arguments)]
    return max(matching, key=lambda record: (record.verdict not in (RUNNING, KILLED), int(record.run)), default=None)


def _wait(command: Sequence[str]) -> int:
    sys.stdout.flush()
    with subprocess.Popen(command, env=child_environment()) as process:
        try:
            return process.wait()
        except (KeyboardInterrupt, Terminated):
            # Ctrl-C in a terminal reaches both processes; terminating one that has ended does nothing.
            process.terminate()
            process.wait()
            raise
