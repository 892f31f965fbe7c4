"""The commands `runs`, `show` and `diff`: what is remembered, for a person to read."""

from __future__ import annotations

import shlex
from pathlib import Path

from pipeline.explain import differences
from pipeline.folders import parser_of
from pipeline.history import History, Record
from pipeline.outcome import Outcome, stopping
from pipeline.progress import line
from pipeline.report.opening import verdict_shown
from pipeline.store import Store
from serving.errors import InputError

HEADS = ("run", "began (UTC)", "model", "data set", "preset", "verdict", "seconds", "why")


def runs(arguments: list[str]) -> int:
    """Lists all runs, newest first. Returns: 0. Raises: InputError: there are none."""
    given = parser_of("runs", "Lists all runs, newest first.", "runs").parse_args(arguments)
    records = History(given.runs).records()
    if not records:
        raise InputError(
            f"{given.runs} has no runs yet: make one with python -m pipeline run, or say where with --runs"
        )
    rows = [HEADS, *(_row(record) for record in reversed(records))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *names, seconds, why = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([*names, seconds.strip().rjust(widths[-2]), why]).rstrip())
    return 0


def show(arguments: list[str]) -> int:
    """Shows one run, what a person asks first at the top. Returns: 0. Raises: InputError: no such run."""
    words = "Shows a run: its verdict and why, what became of each step, what it was told."
    parser = parser_of("show", words, "runs")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    given = parser.parse_args(arguments)
    record = History(given.runs).read(given.run)
    print("\n".join([*_head(record, given.runs), "", *_steps(record, given.runs), "", *_told(record)]))
    return 0


def diff(arguments: list[str]) -> int:
    """Shows what differs between two runs. Returns: 0. Raises: InputError: no such run."""
    words = "Shows what differs between two runs: what they were told, made from and came to."
    parser = parser_of("diff", words, "runs")
    parser.add_argument("run", help="a run's number, as `runs` lists it")
    parser.add_argument("other", help="another one's")
    given = parser.parse_args(arguments)
    history = History(given.runs)
    print("\n".join(differences(history.read(given.run), history.read(given.other), Store(given.runs))))
    return 0


def _head(record: Record, runs: Path) -> list[str]:
    dataset, preset = record.config["ingest"]["dataset"], record.config["train"]["preset"]
    by_name = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    said = {"began": f"{record.began[:19].replace('T', ' ')} UTC, took {record.seconds:.1f} s"}
    if stopped is not None:
        said["why"] = f"{stopped.name}: {'; '.join(stopped.reasons)}"
    elif "promote" in by_name:
        said["model"] = f"{Path(record.config['models']) / record.config['model']}: {by_name['promote'].summary}"
    if (validated := by_name.get("validate")) is not None and validated.passed and validated.reasons:
        said["data"] = "; ".join(validated.reasons)
    if "evaluate" in by_name and stopped is not by_name["evaluate"]:
        said["gate"] = "; ".join(by_name["evaluate"].reasons)
    card = runs / "reports" / f"{record.run}.html"
    places = {"log": runs / "logs" / f"{record.run}.log", "card": card, "pictures": card.with_suffix("")}
    said |= {name: str(place) for name, place in places.items() if place.exists()}
    said["command"] = shlex.join(["python", "-m", "pipeline", "run", *record.arguments])
    return [
        f"run {record.run}: {record.verdict}, {dataset} with {preset}",
        *(f"{name:<10} {words}" for name, words in said.items()),
    ]


def _steps(record: Record, runs: Path) -> list[str]:
    lines = []
    for outcome in record.steps:
        lines.append(line(outcome))
        lines += [f"{'':<10} because {reason}" for reason in outcome.because]
        if outcome.artifact is not None:
            lines.append(f"{'':<10} {runs / 'artifacts' / outcome.artifact}  sha256 {outcome.sha256}")
    return lines


def _told(record: Record) -> list[str]:
    parts = {**record.config, "environment": record.environment}
    return [
        f"{part:<11} {', '.join(f'{n} {v}' for n, v in told.items()) if isinstance(told, dict) else told}"
        for part, told in parts.items()
    ]


def _row(record: Record) -> tuple[str, ...]:
    """A run's cells, under HEADS."""
    began = record.began[:19].replace("T", " ")
    told = record.config["model"], record.config["ingest"]["dataset"], record.config["train"]["preset"]
    return record.run, began, *told, verdict_shown(record), f"{record.seconds:.1f}", _why(record)


def _why(record: Record) -> str:
    by_name: dict[str, Outcome] = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    if stopped is not None:
        return f"{stopped.name}: {'; '.join(stopped.reasons)}"
    return "; ".join(by_name["evaluate"].reasons) if "evaluate" in by_name else ""
