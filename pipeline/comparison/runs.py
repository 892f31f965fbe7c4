"""A command `run` in a process of its own, as TensorFlow reads the number of threads of a recipe once, as it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pipeline
from pipeline.history import History, Record
from serving.interrupts import Terminated

UNPROMOTED = "--no-promotion"


def run_apart(arguments: Sequence[str], runs: Path) -> tuple[int, Record | None]:
    """Runs the pipeline in another process, which says on this screen what it does.

    Whatever happens to it, as running out of memory, happens to it alone.

    Args:
        arguments: of `python -m pipeline run`.
        runs: its folder of runs.

    Returns:
        Its exit code, and its record; None where it ended before it had one.
    """
    history = History(runs)
    first = int(history.next_run())
    code = _wait([sys.executable, *(["-P"] if sys.flags.safe_path else []), "-m", "pipeline", "run", *arguments])
    new = [run for run in history.runs() if int(run) >= first]
    # Another run may have begun meanwhile; one that was told the same and has ended made the same.
    return code, own(history.readable(new), arguments)


def own(records: Sequence[Record], arguments: Sequence[str]) -> Record | None:
    """The newest record of a run that was told so; one that has ended goes before one that is running."""
    told = [record for record in records if record.arguments == tuple(arguments)]
    return max(told, key=lambda record: (record.verdict != "running", int(record.run)), default=None)


def _wait(command: Sequence[str]) -> int:
    sys.stdout.flush()
    root = str(Path(pipeline.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as process:
        try:
            return process.wait()
        except (KeyboardInterrupt, Terminated):
            # Where a terminal told both already, the second word changes nothing.
            process.terminate()
            process.wait()
            raise
