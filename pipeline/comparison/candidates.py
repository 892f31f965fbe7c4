"""Presets and the flags of `run` -> candidates: the runs of a comparison, each with its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from pipeline.settings.feasibility import require_feasible
from pipeline.settings.options import Request, parse_run, split_beam
from pipeline.settings.preset_file import same_recipe
from serving.errors import InputError


@dataclass(frozen=True)
class Candidate:
    """One preset of a comparison.

    Attributes:
        preset: the preset's name.
        arguments: those of `python -m pipeline run` with the first seed, without `--no-promotion`.
        request: the parsed arguments.
        seeds: one run is made with each of them.
    """

    preset: str
    arguments: tuple[str, ...]
    request: Request
    seeds: tuple[int, ...]

    def run_arguments(self, seed: int) -> list[str]:
        """The arguments of the run with a seed, which promotes nothing."""
        return change_flags(_with_seed(self.arguments, self.seeds[0], seed), add="--no-promotion")


def parse_candidates(presets: Sequence[str], flags: Sequence[str], seeds: int = 1) -> list[Candidate]:
    """The runs of two or more presets, names or files, with the same other flags of `run`.

    The seeds count up from `--seed`. Two presets with the same recipe get different ones, so that they do not train the
    same models.

    Raises:
        InputError: an argument is wrong, a preset is given twice, or two presets have the same recipe and one seed.
    """
    candidates: list[Candidate] = []
    for preset in presets:
        arguments = ("--preset", preset, *flags)
        request = parse_run(list(arguments))
        require_feasible(request.config)
        recipe = request.config.train
        same = sum(same_recipe(recipe, other.request.config.train) for other in candidates)
        first = recipe.seed + same * seeds
        own = tuple(range(first, first + seeds))
        # Raises if the last seed is too large.
        replace(recipe, seed=own[-1])
        if seeds > 1:
            arguments = tuple(_with_seed(arguments, recipe.seed, first))
        candidates.append(Candidate(recipe.preset, arguments, request, own))
    for one, other in combinations(candidates, 2):
        if one.preset == other.preset:
            raise InputError(f"{one.preset} is given twice: give each preset once, and give files different names")
        if seeds == 1 and same_recipe(one.request.config.train, other.request.config.train):
            raise InputError(
                f"{one.preset} and {other.preset} have the same recipe with these flags: "
                "leave one out, remove the flag that makes them equal, or compare them with other seeds with --seeds 5"
            )
    if len(candidates) < 2:
        raise InputError(
            "one preset cannot be compared with itself: give at least two, or none to compare all built-in presets"
        )
    return candidates


def change_flags(arguments: Sequence[str], add: str | None = None, remove: str | None = None) -> list[str]:
    """Arguments of `run` with one flag added or removed; the Beam arguments stay last."""
    ours, beam = split_beam(list(arguments))
    flags = [argument for argument in ours if argument != remove]
    return [*flags, *([add] if add else []), *(["--", *beam] if beam else [])]


def _with_seed(arguments: Sequence[str], before: int, seed: int) -> list[str]:
    """Arguments of `run` with another seed; they are unchanged if it is the same one."""
    if seed == before:
        return list(arguments)
    ours, beam = split_beam(list(arguments))
    kept, skip = list[str](), False
    for argument in ours:
        if not skip and argument.split("=")[0] != "--seed":
            kept.append(argument)
        skip = argument == "--seed"
    return [*kept, "--seed", str(seed), *(["--", *beam] if beam else [])]
