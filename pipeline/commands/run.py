"""run: run the pipeline, from ingest to promotion."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, suppress
from dataclasses import replace

from components.artifacts.examples import Examples
from pipeline.definition import pipeline
from pipeline.engine.execute import Execution
from pipeline.engine.outcome import Outcomes, exit_code, log_outcome
from pipeline.engine.plan import complete, plan
from pipeline.engine.process_settings import fix_settings
from pipeline.engine.store import Store
from pipeline.records.candidate_figures import candidate_figures
from pipeline.records.run_history import Record, RunHistory
from pipeline.report.drawings.drawing_ahead import drawing_ahead, wait_for_drawings
from pipeline.report.pages import report
from pipeline.screen.console import console, log_to
from pipeline.screen.summary import print_summary, verdict_of
from pipeline.settings.advice import SUITABLE, preset_advice
from pipeline.settings.config import Config
from pipeline.settings.fallback import obtainable
from pipeline.settings.feasibility import require_feasible
from pipeline.settings.options import Request, parse_run
from pipeline.tracking.tensorboard import write_tensorboard
from pipeline.tracking.tracking_file import is_tracked
from serving.codec import FormatError
from serving.faults.wording import failure_sentence
from serving.interrupts import Terminated, defer_interrupts

log = logging.getLogger("beamline.pipeline")


def run(arguments: list[str]) -> int:
    """Runs the pipeline.

    Returns:
        0 promoted, or nothing to do, or evaluated without promotion, 3 refused by a gate, 1 or 2 failed, 130 and 143
        interrupted.

    Raises: InputError: the arguments or the data are not valid; nothing was written.
    """
    started = time.perf_counter()
    request = parse_run(arguments)
    require_feasible(request.config)
    if request.track:
        from pipeline.tracking.track import require_tracker

        require_tracker(request.config.runs, request.config.model)
    with console(request.verbosity):
        return _run(obtainable(request), started)


def _run(request: Request, started: float) -> int:
    config = request.config
    store, history = Store(config.runs), RunHistory(config.runs)
    steps = pipeline(config)[: None if request.promotion else -1]
    outcomes: Outcomes = {}
    record = None
    verdict, kept = "failed", True
    with store.shared(), ExitStack() as stack:
        try:
            while record is None:
                name = history.next_run()
                context = config.context(name)
                outcomes = {} if request.force else plan(steps, store, context)
                with defer_interrupts():
                    record = stack.enter_context(history.begin(name, config.record(), request.arguments))
            # The folder may be new; then there was nothing to lock before.
            stack.enter_context(store.shared())
            log_file = config.runs / "logs" / f"{name}.log"
            stack.enter_context(log_to(log_file, request.verbosity))
            stack.enter_context(write_tensorboard(config, name))
            fix_settings(config.train.intra_op_threads)
            _announce(config, name, outcomes)
            missing = [one.name for step in steps if step.name not in outcomes for one in (step, *step.inner)]
            previous = history.previous(config.model, missing, store) if missing else {}
            # With the data at hand, a processor is idle while this process imports libraries.
            soon = "ingest" in outcomes and bool(missing)
            draw = stack.enter_context(drawing_ahead(record, config.runs, soon))
            execution = Execution(context, config.beam, request.force, request.explain, previous, config.places(), draw)
            outcomes = complete(steps, outcomes, store, execution)
            verdict = verdict_of(outcomes)
            wait_for_drawings()
        except (KeyboardInterrupt, Terminated):
            verdict = "interrupted"
            raise
        finally:
            seconds = round(time.perf_counter() - started, 3)
            if record is not None:
                record = replace(record, verdict=verdict, seconds=seconds, steps=tuple(outcomes.values()))
                record = replace(record, figures=candidate_figures(outcomes, store))
                kept = _keep(record, history, config)
        reported = report(record, steps, store)
        _advise(config, outcomes, store)
        print_summary(config, name, outcomes, seconds, log_file, reported.card, reported.pictures)
        if verdict != "interrupted":
            _tell_tracker(request, name)
    # A run without a complete record is not done: `compare` and `promote` cannot use it.
    return exit_code(outcomes) or (0 if kept else 1)


def _keep(record: Record, history: RunHistory, config: Config) -> bool:
    """Completes the run's record. Returns: whether it could be written; if not, the run still ends with its outcome."""
    try:
        with defer_interrupts():
            history.finish(record)
    except OSError as error:
        reason = failure_sentence(error, config.places(promotes=False)) or str(error)
        message = f"the record of run {record.run} could not be completed, which ended as {record.verdict}: {reason}"
        log.warning("%s", message, extra={"event": {"event": "notice", "run": record.run}})
        return False
    return True


def _advise(config: Config, outcomes: Outcomes, store: Store) -> None:
    """Names the preset that suits the images better, if another one does and the run trained."""
    ingested, trained = outcomes.get("ingest"), outcomes.get("train")
    if ingested is None or ingested.artifact is None or trained is None or trained.outcome != "executed":
        return
    with suppress(OSError, FormatError):
        advice = preset_advice(Examples.load(store.payload(ingested.artifact)).image_shape, config.train)
        if advice is not None:
            log.info("\n%s", advice, extra={"event": {"event": "notice", "preset": SUITABLE}})


def _tell_tracker(request: Request, run: str) -> None:
    """Logs the run to MLflow on request. The alias of a tracked model always follows the served version."""
    config = request.config
    if request.track:
        from pipeline.tracking.track import track_run

        track_run(config.runs, config.models, config.model, run)
    elif is_tracked(config.models / config.model):
        from pipeline.tracking.track import update_alias

        if (warning := update_alias(config.models, config.model)) is not None:
            log.warning("%s", warning, extra={"event": {"event": "notice", "tracker": "mlflow"}})


def _announce(config: Config, run: str, outcomes: Outcomes) -> None:
    """Logs the run's number, and the steps that need no execution."""
    dataset, preset = config.ingest.dataset, config.train.preset
    event = {"event": "run", "run": run, "dataset": dataset, "preset": preset, "runs": str(config.runs)}
    log.info("run %s: %s with %s, in %s", run, dataset, preset, config.runs, extra={"event": event})
    for outcome in outcomes.values():
        log_outcome(outcome)
