"""The command `run`: plan, execute what is not there, and say what came of it."""

from __future__ import annotations

import logging
import os
import shlex
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pipeline.config import Config
from pipeline.console import console
from pipeline.definition import pipeline
from pipeline.execute import resolve
from pipeline.history import History
from pipeline.outcome import Made, Outcome, exit_code
from pipeline.progress import tell
from pipeline.report.folder import report
from pipeline.step import Step
from pipeline.store import Store
from serving.errors import InputError, Terminated

log = logging.getLogger("beamline.pipeline")

VERDICTS = {0: "promoted", 3: "refused", 130: "interrupted", 143: "interrupted"}


def run(config: Config, verbose: bool) -> int:
    """Runs the pipeline.

    Returns:
        0 promoted or nothing to do, 3 refused by a gate, 1 or 2 failed, 130 and 143 interrupted.

    Raises:
        InputError: what the user gave cannot be worked with; nothing was written.
    """
    started = time.perf_counter()
    for flag, folder in (("--runs", config.runs), ("--models", config.models)):
        require_writable(flag, folder)
    store, history = Store(config.runs), History(config.runs)
    record = None
    while record is None:
        name = history.next_run()
        steps = pipeline(config, name)
        made = plan(steps, store)
        record = history.begin(name, config)
    log_file = config.runs / "logs" / f"{name}.log"
    verdict = "failed"
    with console(log_file, verbose):
        set_threads(config.train.intra_op_threads)
        log.info("run %s: %s with %s, in %s", name, config.ingest.dataset, config.train.preset, config.runs)
        for outcome in made.values():
            tell(outcome)
        try:
            made = complete(steps, made, store, config)
            verdict = VERDICTS.get(exit_code(made), "failed")
        except (KeyboardInterrupt, Terminated):
            verdict = "interrupted"
            raise
        finally:
            seconds = time.perf_counter() - started
            history.finish(replace(record, verdict=verdict, seconds=round(seconds, 3), steps=tuple(made.values())))
        pictures = None if verdict == "interrupted" else report(name, made, store)
        log.info("%s%s", closing(config, made, seconds, log_file), f"\npictures: {pictures}/" if pictures else "")
    return exit_code(made)


def require_writable(flag: str, folder: Path) -> None:
    """Refuses a folder that cannot be written or made, before any work is done. Raises: InputError."""
    nearest = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise InputError(f"{flag} {folder} cannot be written: {error.strerror}: give another place") from error


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


def complete(steps: tuple[Step, ...], made: Made, store: Store, config: Config) -> Made:
    """The outcomes of all steps, after executing those that are not among `made`; Beam is started only for these."""
    open_steps = tuple(step for step in steps if step.name not in made)
    if open_steps:
        from pipeline.beam_runner import run_steps

        made, _ = run_steps(open_steps, made, store, config.beam)
    return {step.name: made[step.name] for step in steps}


def set_threads(threads: int) -> None:
    """Sets what TensorFlow reads once, as it starts: the threads of one operation, which are a part of the recipe."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)


def closing(config: Config, made: Made, seconds: float, log_file: Path) -> str:
    """The last lines: where the model is and how to score with it, or what stopped it and where to read more."""
    stopped = next((o for o in made.values() if o.outcome == "failed"), None) or next(
        (o for o in made.values() if not o.passed), None
    )
    if stopped is not None and VERDICTS.get(stopped.exit_code) == "interrupted":
        return f"\n{stopped.reasons[0]} at {stopped.name} after {seconds:.1f} s; the same command goes on from there"
    if stopped is not None:
        how = "failed" if stopped.outcome == "failed" else "refused"
        ending = f"log: {log_file}" if how == "failed" else "nothing was promoted; what serves is unchanged"
        return f"\n{how} at {stopped.name} after {seconds:.1f} s: {'; '.join(stopped.reasons)}\n{ending}"
    executed = sum(outcome.outcome == "executed" for outcome in made.values())
    did = f"{executed} of {len(made)} steps executed" if executed else "nothing to do"
    command = ["python", "-m", "serving.batch_score", "images.npy"]
    if config.models != Path("models"):
        command += ["--models", str(config.models)]
    command += ["--model", config.model]
    return "\n".join(
        [
            f"\n{did}, {seconds:.1f} s",
            f"model:  {config.models / config.model}: {made['promote'].summary}",
            f"gate:   {'; '.join(made['evaluate'].reasons)}",
            f"score:  {shlex.join(command)}",
        ]
    )
