"""runs: list all runs."""

from __future__ import annotations

from pipeline.commands.arguments import parser_of
from pipeline.engine.outcome import Outcome, stopping
from pipeline.records.run_history import KILLED, WHY_KILLED, Record, RunHistory
from pipeline.report.headline import verdict_shown
from serving.errors import InputError
from serving.process.program import PIPELINE

HEADS = ("run", "began (UTC)", "model", "data set", "preset", "verdict", "seconds", "why")


def runs(arguments: list[str]) -> int:
    """Lists all runs, newest first. Returns: 0. Raises: InputError: there are none."""
    given = parser_of("runs", "Lists all runs, newest first.", "runs").parse_args(arguments)
    records = RunHistory(given.runs).records()
    if not records:
        raise InputError(
            f"{given.runs} has no runs yet: make one with {PIPELINE} run, or give the folder that has them "
            "with --runs FOLDER"
        )
    rows = [HEADS, *(_row(record) for record in reversed(records))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *names, seconds, why = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([*names, seconds.strip().rjust(widths[-2]), why]).rstrip())
    return 0


def _row(record: Record) -> tuple[str, ...]:
    """A run's cells, under HEADS."""
    began = record.began[:19].replace("T", " ")
    names = record.config["model"], record.config["ingest"]["dataset"], record.config["train"]["preset"]
    return record.run, began, *names, verdict_shown(record), f"{record.seconds:.1f}", _why(record)


def _why(record: Record) -> str:
    if record.verdict == KILLED:
        return WHY_KILLED
    by_name: dict[str, Outcome] = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    if stopped is not None:
        return f"{stopped.name}: {'; '.join(stopped.reasons)}"
    return "; ".join(by_name["evaluate"].reasons) if "evaluate" in by_name else ""
