"""The console scripts: `beamline` is `python -m pipeline`, `beamline-score` is `python -m serving.batch_score`.

Both run Beamline's own packages, even if the working folder or another folder in Python's path has a `pipeline`, a
`components` or a `serving` of its own.
"""

from __future__ import annotations

import os
import signal
import sys


def run_pipeline() -> None:
    """Runs the command `beamline`, and ends the process with its exit code."""
    _run("pipeline")


def run_scorer() -> None:
    """Runs the command `beamline-score`, and ends the process with its exit code."""
    _run("serving.batch_score")


def _run(module: str) -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # The module handles signals itself; until then, Ctrl-C ends the process without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A package is found once: later imports of its modules take its folder, not Python's path.
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, folder)
    import components  # noqa: F401
    import pipeline  # noqa: F401
    import serving  # noqa: F401

    sys.path.remove(folder)
    import runpy

    runpy.run_module(module, run_name="__main__")
