"""diff: show what differs between two runs."""

from __future__ import annotations

from pipeline.commands.arguments import parser_of
from pipeline.engine.store import Store
from pipeline.records.run_differences import differences
from pipeline.records.run_history import RunHistory


def diff(arguments: list[str]) -> int:
    """Shows what differs between two runs. Returns: 0. Raises: InputError: no such run."""
    summary = "Shows what differs between two runs: configuration, inputs and results."
    parser = parser_of("diff", summary, "runs")
    parser.add_argument("run", help="a run's number, as `runs` lists it")
    parser.add_argument("other", help="the other run's number")
    given = parser.parse_args(arguments)
    history = RunHistory(given.runs)
    print("\n".join(differences(history.read(given.run), history.read(given.other), Store(given.runs))))
    return 0
