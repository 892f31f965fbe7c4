"""runs/seeds: how far the seed alone moves the accuracy of a recipe on a data set, for the gate of promotions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from components.significance import Margin
from pipeline.settings.presets import MARGINS
from serving.codec import FormatError, read, to_json
from serving.files import canonical_json, replace_json

# With fewer, the deviation is off by a factor of 2 too often.
LEAST_SEEDS = 5
FOLDER = "seeds"


@dataclass(frozen=True)
class SeedResults:
    """The accuracies of models that differ only in the seed.

    Attributes:
        preset: the recipe's name.
        dataset: name of the data set.
        seeds: two or more.
        accuracies: of each seed's model on the same test images, fractions.
        rows: number of these images.
        quantile: of Student's t, one-sided at 5 %: 19 of 20 further models are at most that many deviations below
            the mean.
        comparison: the number of the comparison that measured them.
    """

    IGNORES_UNKNOWN: ClassVar[bool] = True

    preset: str
    dataset: str
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    rows: int
    quantile: float
    comparison: str

    @property
    def deviation(self) -> float:
        """The standard deviation of the accuracies, a fraction."""
        from statistics import stdev

        return stdev(self.accuracies)

    @property
    def margin(self) -> Margin:
        """The loss of accuracy that 19 of 20 further models of the recipe stay within, below its mean."""
        origin = (
            f"{self.quantile:.2f} times the deviation {self.deviation:.4f} between {len(self.seeds)} seeds of "
            f"{self.preset} on {self.dataset}, comparison {self.comparison}"
        )
        return Margin(self.quantile * self.deviation, origin)


def remember_seeds(runs: Path, config: Mapping[str, Any], results: SeedResults) -> bool:
    """Keeps the results for later promotions of the recipe, in place of earlier ones; returns whether it did.

    `config` is a run's, as its record has it. Too few seeds are not kept.
    """
    if len(results.seeds) < LEAST_SEEDS:
        return False
    file = _file(runs, config)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_json(file, to_json(results))
    return True


def known_margin(runs: Path, config: Mapping[str, Any]) -> Margin | None:
    """The margin of a run's recipe on its data set; None if it was not measured.

    Measured are the recipes of comparisons in the folder `runs`, and the default preset on the data sets of `MARGINS`,
    which is taken for every recipe there. `config` is the run's, as its record has it.
    """
    try:
        return read(SeedResults, _file(runs, config)).margin
    except (OSError, FormatError):
        # `mnist:3.0.1` is mnist too.
        return MARGINS.get(config["ingest"]["dataset"].split(":")[0])


def _file(runs: Path, config: Mapping[str, Any]) -> Path:
    """The file of a recipe on a data set; neither the name of the preset nor the seed counts."""
    recipe = {name: value for name, value in config["train"].items() if name not in ("preset", "seed")}
    known_by = {
        "dataset": config["ingest"]["dataset"],
        "resize": config["ingest"].get("resize"),
        "transform": config["transform"],
        "train": recipe,
    }
    name = hashlib.sha256(canonical_json(to_json(known_by)).encode()).hexdigest()[:12]
    return runs / FOLDER / f"{name}.json"
