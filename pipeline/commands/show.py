"""show: show one run: its verdict with the reasons, the outcome of each step, its configuration."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.commands.arguments import parser_of
from pipeline.engine.outcome import outcome_line, stopping
from pipeline.records.run_history import KILLED, WHY_KILLED, Record, RunHistory
from serving.process.program import PIPELINE


def show(arguments: list[str]) -> int:
    """Shows one run. Returns: 0. Raises: InputError: no such run."""
    summary = "Shows a run: its verdict with the reasons, the outcome of each step, its configuration."
    parser = parser_of("show", summary, "runs")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    given = parser.parse_args(arguments)
    record = RunHistory(given.runs).read(given.run)
    print("\n".join([*_head(record, given.runs), "", *_steps(record, given.runs), "", *_configuration(record)]))
    return 0


def _head(record: Record, runs: Path) -> list[str]:
    dataset, preset = record.config["ingest"]["dataset"], record.config["train"]["preset"]
    by_name = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    lines = {"began": f"{record.began[:19].replace('T', ' ')} UTC, took {record.seconds:.1f} s"}
    if record.verdict == KILLED:
        lines["why"] = WHY_KILLED
    elif stopped is not None:
        lines["why"] = f"{stopped.name}: {'; '.join(stopped.reasons)}"
    elif "promote" in by_name:
        lines["model"] = f"{Path(record.config['models']) / record.config['model']}: {by_name['promote'].summary}"
    if (validated := by_name.get("validate")) is not None and validated.passed and validated.reasons:
        lines["data"] = "; ".join(validated.reasons)
    if "evaluate" in by_name and stopped is not by_name["evaluate"]:
        lines["gate"] = "; ".join(by_name["evaluate"].reasons)
    card = runs / "reports" / f"{record.run}.html"
    files = {"log": runs / "logs" / f"{record.run}.log", "card": card, "pictures": card.with_suffix("")}
    lines |= {name: str(file) for name, file in files.items() if file.exists()}
    lines["command"] = shlex.join([*PIPELINE.split(), "run", *record.arguments])
    return [
        f"run {record.run}: {record.verdict}, {dataset} with {preset}",
        *(f"{name:<10} {text}" for name, text in lines.items()),
    ]


def _steps(record: Record, runs: Path) -> list[str]:
    lines = []
    for outcome in record.steps:
        lines.append(outcome_line(outcome))
        lines += [f"{'':<10} because {reason}" for reason in outcome.because]
        if outcome.artifact is not None:
            lines.append(f"{'':<10} {runs / 'artifacts' / outcome.artifact}  sha256 {outcome.sha256}")
    return lines


def _configuration(record: Record) -> list[str]:
    parts = {**record.config, "environment": record.environment}
    return [f"{part:<11} {_shown(values)}" for part, values in parts.items()]


def _shown(values: Any) -> str:
    if isinstance(values, Mapping):
        return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())
    return str(list(values) if isinstance(values, tuple) else values)
