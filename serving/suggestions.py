"""A name that does not exist -> the known name that is nearest to it."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most similar to this one; None if none is similar."""
    # Imported here: only a mistake needs it.
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean NAME? ` with the nearest known name; empty if none is near."""
    near = nearest(name, known)
    return "" if near is None else f"did you mean {near}? "
