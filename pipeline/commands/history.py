"""history: list the promotions and rollbacks of a model."""

from __future__ import annotations

from pipeline.commands.arguments import parser_of, registry_with
from serving.errors import InputError
from serving.registry.promotion_events import PromotionEvent
from serving.registry.registry import HISTORY


def history(arguments: list[str]) -> int:
    """Lists the promotions and rollbacks of a model, oldest first. Returns: 0. Raises: InputError: no such model."""
    parser = parser_of("history", "Lists the promotions and rollbacks of a model: version, time, user and reason.")
    parser.add_argument("model", help="the model's name")
    given = parser.parse_args(arguments)
    registry = registry_with(given.models, given.model)
    found = registry.promotion_events(given.model)
    if not found.events and not found.damaged:
        raise InputError(f"{registry.root / given.model} has no history: nothing was promoted there yet")
    print(
        f"{'':>4}  {'when (UTC)':<20}{'what':<10}{'version':<10}{'accuracy':<10}{'run':<6}{'sha256':<14}"
        f"{'against the champion':<30}who, why"
    )
    for event in found.events:
        print(_line(event))
    for number in found.damaged:
        print(f"{registry.root / given.model / HISTORY}, line {number}, is damaged and not shown")
    return 0


def _line(event: PromotionEvent) -> str:
    moved = f"{'-' if event.from_version is None else event.from_version} -> {event.to_version}"
    return (
        f"{event.sequence:>4}  {event.time[:19].replace('T', ' '):<20}{event.action:<10}{moved:<10}"
        f"{event.evidence.accuracy:<10.4f}{event.evidence.run:<6}{event.bundle_sha256[:12]:<14}"
        f"{_difference(event):<30}{event.user}@{event.host}: {event.reason}"
    )


def _difference(event: PromotionEvent) -> str:
    """The difference of the accuracies, and its interval; a dash if there was no comparison."""
    found = event.evidence.difference
    return "-" if found is None else f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
