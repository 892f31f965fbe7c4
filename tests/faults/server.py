"""Forks a process for each command that it reads: TensorFlow and Beamline are imported once, not for each fault.

It runs with the library of shim.c. It reads a JSON object in each line of standard input, and answers with the exit
code, negative for a signal.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import tests.e2e.imported  # noqa: F401
from tests.e2e.preloaded import enter

ROOT = Path(__file__).parents[2]


def serve() -> None:
    """Answers until standard input ends."""
    _import_beamline()
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _run(json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_beamline() -> None:
    """Imports all modules of the project, except those that are programs."""
    for package in ("serving", "components", "pipeline"):
        for file in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            if file.name not in ("__main__.py", "batch_score.py") and "tracking" not in name:
                importlib.import_module(name.removesuffix(".__init__"))
    # It is run as a program.
    del sys.modules["serving.batch_score"]


def _run(command: dict[str, Any]) -> None:
    """Runs a command in this process, which ends with it."""
    exit_code = 1
    try:
        enter(
            tuple(command["arguments"]),
            [Path(command["folder"]), ROOT],
            command["environment"],
            Path(command["out"]),
            Path(command["err"]),
        )
        exit_code = 0
    except SystemExit as stop:
        exit_code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(exit_code)


if __name__ == "__main__":
    serve()
