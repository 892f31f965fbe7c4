"""What a run's record keeps of its command line."""

from __future__ import annotations

from typing import Any

from pipeline.settings.options import parse_run


def recorded(*arguments: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The configuration and the arguments of `python -m pipeline run` with these arguments."""
    request = parse_run([*arguments])
    return request.config.record(), request.arguments
