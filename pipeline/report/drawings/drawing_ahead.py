"""A run that goes on -> its drawings, made by another process meanwhile: the report finds them in the cache."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.engine.outcome import Outcomes
from pipeline.engine.store import Store
from pipeline.records.candidate_figures import candidate_figures
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import Record, RunHistory
from pipeline.report.card_sections import SECTIONS
from pipeline.report.drawings.drawing_cache import DrawingCache
from pipeline.report.figures.figure_list import PICTURES
from pipeline.report.index import MAX_RUNS, history_plots
from serving.process.child import child_environment, python_command

PROGRAM = f"from {__name__} import serve; serve()"
# When this step is done, all is there that most drawings show; the steps after it take as long as the drawings.
LAST_STEP = "evaluate"


class _Process:
    """The process that draws for the run of this process; Beam copies what a run holds, but not this."""

    running: subprocess.Popen[bytes] | None = None


@contextmanager
def drawing_ahead(record: Record, runs: Path, soon: bool) -> Iterator[Callable[[Outcomes], None]]:
    """Yields a function that is called after each step, and tells the process what to draw as soon as that is known.

    The run needs nothing of it: what it did not draw, the report draws. At the end the process has ended.

    Args:
        record: of the run.
        runs: the folder of all runs.
        soon: start the process now, and not only when there is something to draw.
    """
    try:
        if soon:
            _start()
        yield partial(_tell, record, runs.absolute())
    finally:
        if _Process.running is not None:
            _Process.running.kill()
            _Process.running.wait()
            _Process.running = None


def wait_for_drawings() -> None:
    """Waits until the process, if there is one, has drawn everything."""
    if _Process.running is not None:
        assert _Process.running.stdin is not None
        # Without anything to draw, it ends.
        with suppress(OSError):
            _Process.running.stdin.close()
        _Process.running.wait()


def _start() -> None:
    # A process that has matplotlib draws as fast itself.
    if _Process.running is not None or "matplotlib" in sys.modules:
        return
    with suppress(OSError):
        _Process.running = subprocess.Popen(
            python_command("-c", PROGRAM),
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # Ctrl-C in a terminal reaches the run alone, which then ends this process.
            start_new_session=True,
        )


def _tell(record: Record, runs: Path, outcomes: Outcomes) -> None:
    last = outcomes.get(LAST_STEP)
    if last is None or last.artifact is None:
        return
    if last.outcome == "executed":
        _start()
    stdin = None if _Process.running is None else _Process.running.stdin
    if stdin is None or stdin.closed:
        return
    # The run will probably end so.
    expected = replace(
        record,
        verdict="passed" if last.passed else "refused",
        steps=tuple(outcomes.values()),
        figures=candidate_figures(outcomes, Store(runs)),
    )
    with suppress(OSError), stdin:
        stdin.write(pickle.dumps((expected, runs)))


def draw_all(run: RunArtifacts) -> None:
    """Draws all for which the run has the artifacts; a drawing that fails is left to the report, which tells why."""
    cache = DrawingCache.of(run.store.root)
    for drawing in (*PICTURES, *SECTIONS):
        if drawing.possible(run):
            with suppress(Exception):
                cache.get(drawing.identity(run), partial(drawing.draw, run))
    history = RunHistory(run.store.root)
    earlier = [name for name in history.runs()[-MAX_RUNS:] if name != run.record.run]
    for plot in history_plots([*history.readable(earlier), run.record]):
        with suppress(Exception):
            cache.get(plot.key, plot.draw)


def serve() -> None:
    """Draws for the run that comes from standard input, if one comes."""
    # Meanwhile the run finds out what to draw.
    importlib.import_module("matplotlib.figure")
    with suppress(EOFError):
        record, runs = pickle.load(sys.stdin.buffer)
        store = Store(runs)
        with store.shared():
            draw_all(RunArtifacts(record, store))
