"""What a run's record keeps of its command line."""

from __future__ import annotations

from typing import Any

from pipeline.records.run_history import Record, RunHistory
from pipeline.settings.options import parse_run


def recorded(*arguments: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The configuration and the arguments of `python -m pipeline run` with these arguments."""
    request = parse_run([*arguments])
    return request.config.record(), request.arguments


def begun(history: RunHistory, *arguments: str, run: str | None = None) -> Record:
    """The record of a run that began with these arguments, and whose process has ended."""
    with history.begin(run or history.next_run(), *recorded(*arguments)) as record:
        assert record is not None
        return record
