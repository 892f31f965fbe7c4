"""Accuracies of models that differ in the seed -> docs/luck.md: how often the gate of promotions refuses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import mean, stdev

import numpy as np

from components.promote.champion import ChampionComparison, difference_of, not_worse
from components.promote.history_rules import is_within
from components.promote.margin import limits_of
from components.significance import Discordance
from pipeline.settings.presets import MARGINS

DATASET = "mnist"
LIMITS = limits_of("auto", "auto", MARGINS[DATASET])
# Random orders of the real models, simulated test sets for each cell, and comparisons of recipes for each cell.
ORDERS, TRIALS, COMPARISONS = 500, 4000, 200
# True differences, fractions, and numbers of test images.
DIFFERENCES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02)
ROWS = (500, 2000, 10_000, 60_000)

PAGE = """# What the gate does with luck

{seeds} models of the default preset on MNIST that differ only in the seed have accuracies from {low:.4f} to
{high:.4f}, mean {mean:.4f}, deviation {deviation:.2f} points. Two of them disagree in being right on
{discordant:.1f} % of the {rows:,} test images. More test images would reduce the deviation to {between:.2f} points, and
no further. `python -m tools.luck` makes this page from such runs; [luck.json](luck.json) has the values.

## Equally good successors

The real models are promoted in {orders} random orders, each against the last that passed: the default gate refuses
{equals} of the successors. It has the margin {margin:.4f} against the champion and the drop {drop:.4f} below the best.
The preset `linear`, five points worse, is refused by {worse} of {seeds} champions.

## Two models

How often the default gate refuses a candidate whose accuracy is lower in truth, by 0 to 2 points, than that of the
champion ({trials:,} simulated test sets for each cell):

{models}

With 500 images even a loss of two points can pass: more test images are the only remedy.

## One model of each recipe

The same, if the *recipe* is worse by this many points, and one model of each is compared, each with its
seed's luck:

{recipes}

So one model of each recipe does not tell about half a point between recipes, with any number of test images: the seed
moves the difference by a third of a point. The gate decides which model serves, not which recipe is better.

## Several seeds of each recipe

How often `compare --seeds` finds a difference of recipes significant, with {rows:,} test images ({comparisons}
comparisons of real models for each cell, in which the worse recipe gets a random part of the images wrong). The first
column is its rate of false alarms:

{found}
"""


@dataclass(frozen=True)
class Measured:
    """What was measured of real models.

    Attributes:
        rows: number of test images.
        seeds: of the models of the default preset.
        accuracies: theirs, fractions.
        gained: by candidate and champion, the number of images that only the candidate predicts correctly.
        worse: gained and lost images of a `linear` candidate against each of the models.
        found: by number of seeds and true difference, the share of comparisons in which the difference was significant.
    """

    rows: int
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    gained: tuple[tuple[int, ...], ...]
    worse: tuple[tuple[int, int], ...]
    found: dict[str, tuple[float, ...]]

    @property
    def discordant(self) -> float:
        """The mean fraction of images that only one of two models predicts correctly."""
        pairs = [self.gained[i][j] + self.gained[j][i] for i in range(len(self.seeds)) for j in range(i)]
        return mean(pairs) / self.rows

    @property
    def between_seeds(self) -> float:
        """The deviation of the accuracies that no number of test images would remove."""
        return float(np.sqrt(max(0.0, stdev(self.accuracies) ** 2 - self.discordant / 2 / self.rows)))


@cache
def is_refused_by_margin(gained: int, lost: int, rows: int) -> bool:
    """Whether the gate's margin refuses a candidate with these counts."""
    counts = Discordance(lost=lost, gained=gained)
    return not not_worse(ChampionComparison(difference_of(counts, rows), counts.p_worse, ()), LIMITS)[0]


def refused_share_of_equals(measured: Measured) -> float:
    """The share of successors that the gate refuses, if the real models are promoted in random orders."""
    generator, refused, offered = np.random.default_rng(0), 0, 0
    for _ in range(ORDERS):
        champion, *candidates = generator.permutation(len(measured.seeds)).tolist()
        best = measured.accuracies[champion]
        for candidate in candidates:
            accuracy = measured.accuracies[candidate]
            gained, lost = measured.gained[candidate][champion], measured.gained[champion][candidate]
            offered += 1
            if is_refused_by_margin(gained, lost, measured.rows) or not _is_allowed(best, accuracy, measured.rows):
                refused += 1
            else:
                champion, best = candidate, max(best, accuracy)
    return refused / offered


def refused_share(measured: Measured, difference: float, rows: int, between_seeds: float) -> float:
    """The share of candidates that the gate refuses.

    Args:
        measured: the fraction of images on which two models disagree.
        difference: by how much their expected accuracy is lower, a fraction.
        rows: number of test images.
        between_seeds: the deviation that each of the two models adds to its expected accuracy.
    """
    generator, refused = np.random.default_rng(rows), 0
    for _ in range(TRIALS):
        true = difference + generator.normal(0, np.sqrt(2) * between_seeds)
        # Of two models that differ by more than that, one is worse on more images.
        discordant = max(measured.discordant, 1.2 * abs(true))
        shares = ((discordant - true) / 2, (discordant + true) / 2, 1 - discordant)
        gained, lost, _ = generator.multinomial(rows, shares).tolist()
        # The champion is the best version too.
        refused += is_refused_by_margin(gained, lost, rows) or not _is_allowed(lost / rows, gained / rows, rows)
    return refused / TRIALS


def _is_allowed(best: float, accuracy: float, rows: int) -> bool:
    assert LIMITS.drop is not None
    return is_within(LIMITS.drop, best, accuracy, rows)


def text(measured: Measured) -> str:
    """The page in Markdown."""
    first = [f"{100 * difference:g}" for difference in DIFFERENCES]
    tables = [
        [
            [
                f"{rows:,}",
                *(_percent(refused_share(measured, difference, rows, deviation)) for difference in DIFFERENCES),
            ]
            for rows in ROWS
        ]
        for deviation in (0.0, measured.between_seeds)
    ]
    found = [[f"{seeds}", *map(_percent, shares)] for seeds, shares in measured.found.items()]
    return PAGE.format(
        seeds=len(measured.seeds),
        low=min(measured.accuracies),
        high=max(measured.accuracies),
        mean=mean(measured.accuracies),
        deviation=100 * stdev(measured.accuracies),
        between=100 * measured.between_seeds,
        discordant=100 * measured.discordant,
        margin=LIMITS.margin.value,
        drop=LIMITS.drop,
        equals=_percent(refused_share_of_equals(measured)),
        orders=ORDERS,
        worse=sum(is_refused_by_margin(gained, lost, measured.rows) for gained, lost in measured.worse),
        models=_table(["test images", *first], tables[0]),
        recipes=_table(["test images", *first], tables[1]),
        found=_table(["seeds of each", *first], found),
        trials=TRIALS,
        comparisons=COMPARISONS,
        rows=measured.rows,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _table(heading: list[str], rows: list[list[str]]) -> str:
    lines = [heading, ["---:"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
