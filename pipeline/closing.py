"""The last words of a run: where the model is and how to score with it, or what stopped it and what to do."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.config import Config
from pipeline.outcome import Made, Outcome, exit_code, stopping
from pipeline.report.pages import Reported

log = logging.getLogger("beamline.pipeline")

VERDICTS = {3: "refused", 130: "interrupted", 143: "interrupted"}


def verdict_of(made: Made) -> str:
    """A whole run in a word; it passed where every gate did and nothing was to be promoted."""
    code = exit_code(made)
    if code:
        return VERDICTS.get(code, "failed")
    return "promoted" if "promote" in made else "passed"


def close(config: Config, run: str, made: Made, seconds: float, log_file: Path, reported: Reported) -> None:
    """Says how a run ended; as a warning where it was stopped, so that quiet runs say it too."""
    verdict = verdict_of(made)
    event: dict[str, Any] = {"event": "end", "run": run, "verdict": verdict, "exit_code": exit_code(made)}
    event |= {"seconds": round(seconds, 3), "log": str(log_file)}
    event |= {name: None if file is None else str(file) for name, file in vars(reported).items()}
    drawn = "" if reported.card is None else f"\ncard: {reported.card}"
    drawn += "" if reported.pictures is None else f"\npictures: {reported.pictures}/"
    stopped = stopping(made)
    if stopped is not None:
        event |= {"step": stopped.name, "reasons": stopped.reasons}
        log.warning("%s%s", _stopped(stopped, verdict, seconds, log_file), drawn, extra={"event": event})
        return
    event |= {"model": str(config.models / config.model)}
    log.info("%s%s", _passed(config, run, made, seconds), drawn, extra={"event": event})


def score_command(config: Config) -> str:
    """The command that scores a file with the promoted model."""
    command = ["python", "-m", "serving.batch_score", "images.npy"]
    if config.models != Path("models"):
        command += ["--models", str(config.models)]
    return shlex.join([*command, "--model", config.model])


def _stopped(stopped: Outcome, verdict: str, seconds: float, log_file: Path) -> str:
    if verdict == "interrupted":
        return f"\n{stopped.reasons[0]} at {stopped.name} after {seconds:.1f} s; the same command goes on from there"
    ending = f"log: {log_file}" if verdict == "failed" else "nothing was promoted; what serves is unchanged"
    begun = f"\n{verdict} at {stopped.name} after {seconds:.1f} s:"
    # One reason is the end of the sentence; several are a list.
    lines = [f"{begun} {stopped.reasons[0]}"] if len(stopped.reasons) == 1 else [begun, *_indented(stopped.reasons)]
    return "\n".join([*lines, ending])


def _indented(reasons: Iterable[str]) -> Iterator[str]:
    return (f"  {reason}" for reason in reasons)


def _passed(config: Config, run: str, made: Made, seconds: float) -> str:
    executed = sum(outcome.outcome == "executed" for outcome in made.values())
    did = f"{executed} of {len(made)} steps executed" if executed else "nothing to do"
    promoted = made.get("promote")
    kept = f"of run {run}, which passed every gate; nothing was promoted, as it was asked"
    return "\n".join(
        [
            f"\n{did}, {seconds:.1f} s",
            f"model:  {kept if promoted is None else f'{config.models / config.model}: {promoted.summary}'}",
            *(f"data:   {warning}" for warning in made["validate"].reasons),
            f"gate:   {'; '.join(made['evaluate'].reasons)}",
            *([] if promoted is None else [f"score:  {score_command(config)}"]),
        ]
    )
