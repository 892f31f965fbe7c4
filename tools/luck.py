"""Writes docs/luck.md and .json, what the gate of promotions does with luck: `python -m tools.luck RUNS`.

RUNS is a folder with runs of the default preset on MNIST that differ in the seed, and one of the preset `linear`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.comparison.two_sources import compare_recipes
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import RunHistory
from pipeline.settings.presets import DEFAULT
from serving.codec import read, to_json
from serving.errors import BeamlineError, InputError
from serving.files import replace_json
from tools.luck_page import COMPARISONS, DATASET, DIFFERENCES, Measured, text

WORSE = "linear"
SEEDS = (2, 5, 10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the two files. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.luck", description=__doc__)
    parser.add_argument("runs", type=Path, help="a folder of runs; or a luck.json, to write the page again")
    parser.add_argument("--out", type=Path, default=Path("docs"), metavar="FOLDER", help="default: %(default)s")
    given = parser.parse_args(arguments)
    try:
        measured = read(Measured, given.runs) if given.runs.is_file() else measure(given.runs)
    except BeamlineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    given.out.mkdir(parents=True, exist_ok=True)
    replace_json(given.out / "luck.json", to_json(measured))
    (given.out / "luck.md").write_text(text(measured), encoding="utf-8")
    return 0


def measure(runs: Path) -> Measured:
    """Reads the models' predictions. Raises: InputError: there are not 20 seeds, or no `linear` model."""
    store, history, outcomes, worse = Store(runs), RunHistory(runs), dict[int, npt.NDArray[np.bool_]](), None
    for record in history.readable(history.runs()):
        artifacts, recipe = RunArtifacts(record, store), record.config["train"]
        if record.config["ingest"]["dataset"] != DATASET or "evaluate" not in artifacts.digests:
            continue
        labels = artifacts.load("ingest", Examples).all_labels("test")
        right = artifacts.load("evaluate", Evaluation).predictions() == labels
        if recipe["preset"] == DEFAULT:
            outcomes[recipe["seed"]] = right
        elif recipe["preset"] == WORSE:
            worse = right
    if worse is None or len(outcomes) < 20:
        raise InputError(f"{runs} has {len(outcomes)} seeds of {DEFAULT} on {DATASET}: give 20, and a run of {WORSE}")
    models = np.stack([outcomes[seed] for seed in sorted(outcomes)])
    return Measured(
        rows=models.shape[1],
        seeds=tuple(sorted(outcomes)),
        accuracies=tuple(float(row.mean()) for row in models),
        gained=tuple(tuple(int((one & ~other).sum()) for other in models) for one in models),
        worse=tuple((int((worse & ~one).sum()), int((one & ~worse).sum())) for one in models),
        found={str(seeds): tuple(found_shares(models, seeds)) for seeds in SEEDS},
    )


def found_shares(models: npt.NDArray[np.bool_], seeds: int) -> Iterable[float]:
    """For each true difference, in how many comparisons of recipes it is found; `seeds` is the number of seeds of each.

    The worse recipe has real models too, and predicts a random share of the images wrongly with every seed.
    """
    generator = np.random.default_rng(seeds)
    for difference in DIFFERENCES:
        found = 0
        for _ in range(COMPARISONS):
            chosen = generator.permutation(len(models))[: 2 * seeds]
            wrong = generator.random(models.shape[1]) < difference / models.mean()
            found += compare_recipes(models[chosen[:seeds]], models[chosen[seeds:]] & ~wrong).p < 0.05
        yield found / COMPARISONS


if __name__ == "__main__":
    sys.exit(main())
