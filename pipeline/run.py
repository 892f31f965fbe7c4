"""The command `run`: plan, execute what is not there, and say what came of it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from components.artifacts.evaluation import Evaluation
from pipeline.closing import close, verdict_of
from pipeline.config import Config
from pipeline.console import console, log_to
from pipeline.curves import curves_of
from pipeline.definition import pipeline
from pipeline.execute import resolve
from pipeline.fallback import obtainable
from pipeline.history import History
from pipeline.options import Request, parse_run
from pipeline.outcome import Made, Outcome, exit_code
from pipeline.places import require_writable
from pipeline.progress import tell
from pipeline.report.pages import report
from pipeline.step import Step
from pipeline.store import PAYLOAD, Store
from pipeline.tracking.track import follow_pointer, require_tracker, track_run
from serving.interrupts import Terminated, finishing

log = logging.getLogger("beamline.pipeline")


def run(arguments: list[str]) -> int:
    """Runs the pipeline.

    Returns:
        0 promoted, or nothing to do, or judged without promotion, 3 refused by a gate, 1 or 2 failed, 130 and 143
        interrupted.

    Raises:
        InputError: what the user gave cannot be worked with; nothing was written.
    """
    started = time.perf_counter()
    request = parse_run(arguments)
    require_feasible(request)
    with console(request.screen):
        return _run(obtainable(request), started)


def require_feasible(request: Request) -> None:
    """Refuses what can be told before anything is done. Raises: InputError."""
    prepared = request.config.ingest.source.written
    written = {} if prepared is None else {"--data-dir": prepared}
    for flag, folder in {"--runs": request.config.runs, "--models": request.config.models, **written}.items():
        require_writable(flag, folder)
    request.config.beam.require_known()
    # Read again by the step: here only so that nobody waits for a sentence that can be said at once.
    request.config.validate.frozen()
    if request.track:
        require_tracker(request.config.runs, request.config.model)


def _run(request: Request, started: float) -> int:
    config = request.config
    store, history = Store(config.runs), History(config.runs)
    made: Made = {}
    record = None
    verdict = "failed"
    with store.shared(), ExitStack() as held:
        try:
            while record is None:
                name = history.next_run()
                steps = pipeline(config, name)[: None if request.promotion else -1]
                made = {} if request.force else plan(steps, store)
                with finishing():
                    record = history.begin(name, request)
            # Where there was no folder to share before, there is one now.
            held.enter_context(store.shared())
            log_file = config.runs / "logs" / f"{name}.log"
            held.enter_context(log_to(log_file, request.screen))
            held.enter_context(curves_of(config, name))
            set_threads(config.train.intra_op_threads)
            _announce(config, name, made)
            made = complete(steps, made, store, request)
            verdict = verdict_of(made)
        except (KeyboardInterrupt, Terminated):
            verdict = "interrupted"
            raise
        finally:
            seconds = round(time.perf_counter() - started, 3)
            if record is not None:
                record = replace(record, verdict=verdict, seconds=seconds, steps=tuple(made.values()))
                record = replace(record, figures=figures(made, store))
                with finishing():
                    history.finish(record)
        close(config, name, made, seconds, log_file, report(record, steps, store))
        if verdict != "interrupted":
            _tell_tracker(request, name)
    return exit_code(made)


def _tell_tracker(request: Request, run: str) -> None:
    """Logs the run where that was asked for; what serves of a tracked model is told always."""
    config = request.config
    if request.track:
        track_run(config.runs, config.models, config.model, run)
    elif (words := follow_pointer(config.models, config.model)) is not None:
        log.warning("%s", words, extra={"event": {"event": "notice", "tracker": "mlflow"}})


def _announce(config: Config, run: str, made: Made) -> None:
    """Says which run it is, and what is already there."""
    dataset, preset = config.ingest.dataset, config.train.preset
    begun = {"event": "run", "run": run, "dataset": dataset, "preset": preset, "runs": str(config.runs)}
    log.info("run %s: %s with %s, in %s", run, dataset, preset, config.runs, extra={"event": begun})
    for outcome in made.values():
        tell(outcome)


def plan(steps: tuple[Step, ...], store: Store) -> Made:
    """The outcomes that are known without running anything, up to where something has to be executed.

    Raises:
        InputError: what the user gave cannot be worked with.
    """
    made: dict[str, Outcome] = {}
    for step in steps:
        if all(source.name in made for source in step.inputs.values()):
            outcome = resolve(step, made, store)
            if outcome is not None:
                made[step.name] = outcome
    return made


def complete(steps: tuple[Step, ...], made: Made, store: Store, request: Request) -> Made:
    """The outcomes of all steps, after executing those that are not among `made`; Beam is started only for these."""
    open_steps = tuple(step for step in steps if step.name not in made)
    if open_steps:
        from pipeline.beam_runner import run_steps

        made, _ = run_steps(open_steps, made, store, request)
    return {step.name: made[step.name] for step in steps}


def set_threads(threads: int) -> None:
    """Sets what TensorFlow reads once, as it starts: the threads of one operation, which are a part of the recipe."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)


def figures(made: Made, store: Store) -> Mapping[str, Any]:
    """What the candidate of a run scored, for its record; empty where none was judged."""
    outcome = made.get("evaluate")
    if outcome is None or outcome.artifact is None:
        return {}
    try:
        evaluation = Evaluation.load(store.root / "artifacts" / outcome.artifact / PAYLOAD)
    except (OSError, ValueError, KeyError, TypeError):
        # Somebody took it away meanwhile; that is no reason to lose the record.
        return {}
    names = ("rows", "correct", "accuracy", "interval", "min_accuracy")
    return {name: getattr(evaluation, name) for name in names}
