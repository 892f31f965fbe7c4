"""Results of several seeds -> the result of their recipe, what a comparison says about luck, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.comparison.candidates import Candidate
from pipeline.comparison.comparison import Comparison
from pipeline.comparison.results import Result
from pipeline.comparison.two_sources import seed_quantile
from pipeline.settings.seed_margins import SeedResults, known_margin, remember_seeds

# From the best verdict to the worst.
VERDICTS = ("passed", "refused", "failed")


def join_seeds(results: Sequence[Result], seeds: Sequence[int]) -> Result:
    """The result of a preset from those of its seeds, in the same order; of a single seed, its own.

    A seed whose model was not evaluated is left out of the accuracies, and its reasons are in the entry. `correct` has
    a row for each seed that was evaluated, bool (seeds, n).
    """
    evaluated = [(seed, found) for seed, found in zip(seeds, results, strict=True) if found.correct is not None]
    if not evaluated:
        return results[0]
    first = evaluated[0][1]
    correct = np.stack([found.correct for _, found in evaluated if found.correct is not None])
    if len(results) == 1:
        return replace(first, correct=correct)
    worst = max(results, key=lambda found: VERDICTS.index(found.entry.verdict)).entry
    reasons = [
        f"seed {seed}: {'; '.join(found.entry.reasons)}"
        for seed, found in zip(seeds, results, strict=True)
        if found.entry.verdict != "passed"
    ]
    entry = replace(
        first.entry,
        verdict=worst.verdict,
        step=worst.step,
        reasons=tuple(reasons),
        seeds=tuple(seed for seed, _ in evaluated),
        accuracies=tuple(float(row.mean()) for row in correct),
    )
    return replace(first, entry=entry, correct=correct)


def describe_scope(candidates: Sequence[Candidate]) -> str:
    """What is compared, and how far the seed alone moves the accuracy of one model, as far as it is known."""
    seeds = len(candidates[0].seeds)
    if seeds > 1:
        return f"compares recipes, with {seeds} seeds each: what is significant holds for other seeds and images too"
    moved = []
    for candidate in candidates:
        config = candidate.request.config
        margin = known_margin(config.runs, config.record())
        moved.append("an unknown amount" if margin is None else f"up to {margin.value:.4f} ({margin.origin})")
    names = [candidate.preset for candidate in candidates]
    amounts = {amount: ", ".join(n for n, m in zip(names, moved, strict=True) if m == amount) for amount in moved}
    known = "; ".join(f"of {who} by {amount}" for amount, who in amounts.items())
    return (
        "compares single models, one of each recipe: the seed alone moves the accuracy of a model "
        f"{known}; --seeds 5 compares recipes"
    )


def remember_recipes(comparison: Comparison, candidates: Sequence[Candidate], file: Path) -> list[str]:
    """Keeps what the seed moves each recipe for later promotions, and returns the names of the presets.

    `file` is that of the saved comparison. Presets with fewer than five seeds are not kept.
    """
    kept = []
    for candidate, entry in zip(candidates, comparison.entries, strict=True):
        config = candidate.request.config
        if len(entry.accuracies) > 1:
            quantile = seed_quantile(len(entry.accuracies))
            results = SeedResults(
                entry.preset, comparison.dataset, entry.seeds, entry.accuracies, entry.rows, quantile, file.stem
            )
            if remember_seeds(config.runs, config.record(), results):
                kept.append(entry.preset)
    return kept
