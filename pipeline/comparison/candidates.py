"""Presets and the flags of `run` -> the runs that are to be compared, each checked before any of them begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.options import Request, parse_run
from pipeline.preset_file import same_recipe
from pipeline.run import require_feasible
from serving.errors import InputError


@dataclass(frozen=True)
class Candidate:
    """One run that is to be compared.

    Attributes:
        preset: its name.
        arguments: of `python -m pipeline run`, without the flag that keeps it from being promoted.
        request: what these ask for.
    """

    preset: str
    arguments: tuple[str, ...]
    request: Request


def candidates(presets: Sequence[str], flags: Sequence[str]) -> list[Candidate]:
    """The runs of several presets with the same flags.

    Args:
        presets: names or files.
        flags: of `run`, all but `--preset`.

    Raises:
        InputError: a mistake in one of them, or two that would train the same.
    """
    found = []
    for preset in presets:
        arguments = ("--preset", preset, *flags)
        request = parse_run(list(arguments))
        require_feasible(request)
        found.append(Candidate(request.config.train.preset, arguments, request))
    for one, other in combinations(found, 2):
        if one.preset == other.preset:
            raise InputError(f"{one.preset} is given twice: give each preset once, and files names of their own")
        if same_recipe(one.request.config.train, other.request.config.train):
            raise InputError(f"{one.preset} and {other.preset} are the same recipe here: there is nothing to compare")
    if len(found) < 2:
        raise InputError("one preset alone cannot be compared: give two or more, or none for all that are built in")
    return found
