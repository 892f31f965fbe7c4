"""The commands `rollback` and `history`: what serves, what served, and the way back; needs what serving needs."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from pipeline.folders import parser_of
from pipeline.tracking.track import follow_pointer
from serving.arguments import Arguments
from serving.errors import InputError
from serving.history import Event
from serving.pointer import held
from serving.registry import Registry, require_plain_name


def rollback(arguments: list[str]) -> int:
    """Makes a version serve that served before, after it was checked and tried.

    Returns:
        0.

    Raises:
        InputError: there is nothing to go back to, or no such version.
        BundleError: the version is not what was promoted, or does not answer.
    """
    parser = parser_of("rollback", "Makes a version serve that served before, after it was checked and tried.")
    parser.add_argument("model", help="the model's name")
    parser.add_argument(
        "--to", type=_version, metavar="VERSION", help="which to go back to (default: the one that served before)"
    )
    add_reason(parser)
    given = parser.parse_args(arguments)
    reason = require_reason(given.reason)
    registry = _registry_with(given.models, given.model)
    with held(registry, given.model) as pointer:
        promoted = pointer.roll_back(given.to, reason)
    event = promoted.event
    before = "nothing" if event.from_version is None else f"version {event.from_version}"
    print(f"{given.model} version {promoted.version} serves now instead of {before}, sha256 {promoted.sha256[:12]}")
    tell_tracker(given.models, given.model)
    # What it takes to write a page is no part of what it takes to roll back.
    with contextlib.suppress(ImportError):
        from pipeline.report.pages import renew_index

        renew_index(given.runs)
    return 0


def history(arguments: list[str]) -> int:
    """Prints who let which version serve, when and why, oldest first. Returns: 0. Raises: InputError: no such model."""
    parser = parser_of("history", "Shows who let which version of a model serve, when and why.")
    parser.add_argument("model", help="the model's name")
    given = parser.parse_args(arguments)
    registry = _registry_with(given.models, given.model)
    found = registry.history(given.model)
    if not found.events and not found.damaged:
        raise InputError(f"{registry.root / given.model} has no history: nothing was promoted there yet")
    print(f"{'':>4}  {'when (UTC)':<20}{'what':<10}{'version':<10}{'accuracy':<10}{'run':<6}{'sha256':<14}who, why")
    for event in found.events:
        print(_line(event))
    for number in found.damaged:
        print(f"line {number} cannot be read")
    return 0


def tell_tracker(models: Path, model: str) -> None:
    """Lets MLflow know what serves, where the model is tracked; what serves does not depend on it."""
    sys.stdout.flush()
    if (words := follow_pointer(models, model)) is not None:
        print(words, file=sys.stderr)


def add_reason(parser: Arguments) -> None:
    """Adds the flag without which nobody moves what serves."""
    parser.add_argument("--reason", metavar="TEXT", help="why; kept in the history")


def require_reason(text: str | None) -> str:
    """The reason, on one line of what can be shown. Raises: InputError: there is none."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text or "")
    if not shown.strip():
        raise InputError("--reason is missing: say why, for those who read the history")
    return " ".join(shown.split())


def _registry_with(models: Path, model: str) -> Registry:
    require_plain_name(model)
    registry = Registry(models)
    if not (registry.root / model).is_dir():
        has = ", ".join(registry.models()) or "none"
        raise InputError(f"{models} has no model {model}, it has {has}: give one of these, or say where with --models")
    return registry


def _line(event: Event) -> str:
    moved = f"{'-' if event.from_version is None else event.from_version} -> {event.to_version}"
    return (
        f"{event.sequence:>4}  {event.time[:19].replace('T', ' '):<20}{event.action:<10}{moved:<10}"
        f"{event.evidence.accuracy:<10.4f}{event.evidence.run:<6}{event.bundle_sha256[:12]:<14}"
        f"{event.user}@{event.host}: {event.reason}"
    )


def _version(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise InputError(f"--to {text[:20]} is no version: give a number, 1 or more")
    return int(text)
