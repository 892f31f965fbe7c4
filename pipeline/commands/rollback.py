"""rollback: serve an earlier version again."""

from __future__ import annotations

import contextlib

from pipeline.commands.arguments import add_reason, parser_of, registry_with, require_reason
from pipeline.engine.machine_failure import explain_failures
from pipeline.tracking.track import update_alias_or_warn
from serving.errors import InputError
from serving.registry.pointer import lock_pointer


def rollback(arguments: list[str]) -> int:
    """Serves an earlier version again, after checking and testing it. Returns: 0.

    Raises:
        InputError: there is nothing to go back to, or no such version.
        BundleError: the version changed since its promotion, or fails its smoke test.
    """
    parser = parser_of("rollback", "Serves an earlier version again, after checking and testing it.")
    parser.add_argument("model", help="the model's name")
    to = "the version to serve (default: the latest earlier version that was not rolled back)"
    parser.add_argument("--to", type=_version, metavar="VERSION", help=to)
    add_reason(parser)
    given = parser.parse_args(arguments)
    reason = require_reason(given.reason)
    registry = registry_with(given.models, given.model)
    with (
        explain_failures({"--models": given.models}, given.model),
        lock_pointer(registry, given.model) as pointer,
    ):
        promoted = pointer.roll_back(given.to, reason)
    event = promoted.event
    before = "nothing" if event.from_version is None else f"version {event.from_version}"
    print(f"{given.model} version {promoted.version} serves now instead of {before}, sha256 {promoted.sha256[:12]}")
    update_alias_or_warn(given.models, given.model)
    # The page needs libraries that a rollback does not need.
    with contextlib.suppress(ImportError):
        from pipeline.report.pages import renew_index

        renew_index(given.runs)
    return 0


def _version(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise InputError(f"--to {text[:20]} is not a version: give a number, 1 or more")
    return int(text)
