"""The commands `runs` and `show`: what is remembered, for a person to read."""

from __future__ import annotations

from pathlib import Path

from pipeline.history import History, Record
from pipeline.outcome import Outcome
from pipeline.progress import line
from serving.arguments import Arguments
from serving.errors import InputError


def runs(arguments: list[str]) -> int:
    """Lists all runs, newest first. Returns: 0. Raises: InputError: there are none."""
    given = _parser("runs", "Lists all runs, newest first.").parse_args(arguments)
    records = History(given.runs).records()
    if not records:
        raise InputError(
            f"{given.runs} has no runs yet: make one with python -m pipeline run, or say where with --runs"
        )
    print(f"{'run':<6}{'began (UTC)':<21}{'data set':<14}{'preset':<17}{'verdict':<13}{'seconds':>8}  why")
    for record in reversed(records):
        print(
            f"{record.run:<6}{record.began[:19].replace('T', ' '):<21}{record.config['ingest']['dataset']:<14}"
            f"{record.config['train']['preset']:<17}{record.verdict:<13}{record.seconds:>8.1f}  {_in_short(record)}"
        )
    return 0


def show(arguments: list[str]) -> int:
    """Shows one run: its parameters and what became of each step. Returns: 0. Raises: InputError: no such run."""
    parser = _parser("show", "Shows what a run was told and what became of each step.")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    given = parser.parse_args(arguments)
    record = History(given.runs).read(given.run)
    print(f"run {record.run}: {record.verdict}, began {record.began}, {record.seconds:.1f} s")
    print("environment  " + ", ".join(f"{name} {value}" for name, value in record.environment.items()))
    for part, values in record.config.items():
        said = ", ".join(f"{name} {value}" for name, value in values.items()) if isinstance(values, dict) else values
        print(f"{part:<12} {said}")
    print()
    for outcome in record.steps:
        print(line(outcome))
        if outcome.artifact is not None:
            print(f"{'':<10} {given.runs / 'artifacts' / outcome.artifact}  sha256 {outcome.sha256}")
    return 0


def _parser(command: str, description: str) -> Arguments:
    parser = Arguments(f"python -m pipeline {command}", description)
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="default: %(default)s")
    return parser


def _in_short(record: Record) -> str:
    by_name: dict[str, Outcome] = {outcome.name: outcome for outcome in record.steps}
    stopped = next((o for o in record.steps if o.outcome == "failed" or (o.artifact and not o.passed)), None)
    if stopped is not None:
        return f"{stopped.name}: {'; '.join(stopped.reasons)}"
    return "; ".join(by_name["evaluate"].reasons) if "evaluate" in by_name else ""
