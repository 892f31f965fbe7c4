"""Outcomes -> the last lines of a run: where the model is and how to score with it, or what stopped the run."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import Any

from pipeline.engine.outcome import Outcome, Outcomes, exit_code, stopping
from pipeline.settings.config import Config
from serving.process.program import SCORER

log = logging.getLogger("beamline.pipeline")

VERDICTS = {3: "refused", 130: "interrupted", 143: "interrupted"}


def verdict_of(outcomes: Outcomes) -> str:
    """The verdict of a run; `passed` if every gate passed and the run does not promote."""
    code = exit_code(outcomes)
    if code:
        return VERDICTS.get(code, "failed")
    return "promoted" if "promote" in outcomes else "passed"


def print_summary(
    config: Config,
    run: str,
    outcomes: Outcomes,
    seconds: float,
    log_file: Path,
    card: Path | None,
    pictures: Path | None,
) -> None:
    """Prints how a run ended; as a warning if it was stopped, so that quiet runs print it too.

    `card` and `pictures` are the paths that its report wrote, if it did.
    """
    verdict = verdict_of(outcomes)
    event: dict[str, Any] = {"event": "end", "run": run, "verdict": verdict, "exit_code": exit_code(outcomes)}
    event |= {"seconds": round(seconds, 3), "log": str(log_file)}
    event |= {"card": card and str(card), "pictures": pictures and str(pictures)}
    drawn = "" if card is None else f"\ncard: {card}"
    drawn += "" if pictures is None else f"\npictures: {pictures}/"
    stopped = stopping(outcomes)
    if stopped is not None:
        event |= {"step": stopped.name, "reasons": stopped.reasons}
        log.warning("%s%s", _stopped(stopped, verdict, seconds, log_file), drawn, extra={"event": event})
        return
    event |= {"model": str(config.models / config.model)}
    log.info("%s%s", _passed(config, run, outcomes, seconds), drawn, extra={"event": event})


def score_command(config: Config) -> str:
    """The command that scores a file with the promoted model."""
    command = [*SCORER.split(), "images.npy"]
    if config.models != Path("models"):
        command += ["--models", str(config.models)]
    return shlex.join([*command, "--model", config.model])


def _stopped(stopped: Outcome, verdict: str, seconds: float, log_file: Path) -> str:
    if verdict == "interrupted":
        return f"\n{stopped.reasons[0]} at {stopped.name} after {seconds:.1f} s; run the same command to continue"
    ending = f"log: {log_file}" if verdict == "failed" else "nothing was promoted; the version that serves is unchanged"
    heading = f"\n{verdict} at {stopped.name} after {seconds:.1f} s:"
    # One reason ends the sentence; several are a list.
    one = len(stopped.reasons) == 1
    lines = [f"{heading} {stopped.reasons[0]}"] if one else [heading, *(f"  {reason}" for reason in stopped.reasons)]
    return "\n".join([*lines, ending])


def _passed(config: Config, run: str, outcomes: Outcomes, seconds: float) -> str:
    executed = sum(outcome.outcome == "executed" for outcome in outcomes.values())
    work = f"{executed} of {len(outcomes)} steps executed" if executed else "nothing to do"
    promoted = outcomes.get("promote")
    model = f"run {run} passed every gate; not promoted (--no-promotion)"
    if promoted is not None:
        model = f"{config.models / config.model}: {promoted.summary}"
    return "\n".join(
        [
            f"\n{work}, {seconds:.1f} s",
            f"model:  {model}",
            *(f"data:   {warning}" for warning in outcomes["validate"].reasons),
            f"gate:   {'; '.join(outcomes['evaluate'].reasons)}",
            *([] if promoted is None else [f"score:  {score_command(config)}"]),
        ]
    )
