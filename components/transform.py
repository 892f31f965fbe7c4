"""Statistics + Anomalies -> Transform: the preprocessing, decided once from the training split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components.artifacts.anomalies import Anomalies
from components.artifacts.statistics import SplitStatistics, Statistics
from components.artifacts.transform import Transform


@dataclass(frozen=True)
class Params:
    """How pixels become the model's input.

    Attributes:
        normalization: `unit` divides by 255; `standardize` then subtracts the training split's mean and
            divides by its deviation, by channel.
    """

    normalization: Literal["unit", "standardize"] = "unit"


def run(statistics: Statistics, anomalies: Anomalies, params: Params, out: Path) -> Transform:
    """Fixes the numbers of the normalisation. `anomalies` is taken for its verdict alone."""
    scale, offset = normalization(params.normalization, statistics.splits["train"])
    return Transform(
        path=out,
        normalization=params.normalization,
        scale=scale,
        offset=offset,
        class_names=statistics.class_names,
    ).save()


def normalization(
    wanted: Literal["unit", "standardize"], train: SplitStatistics
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scale and offset by channel, so that pixel · scale + offset is the model's input.

    Args:
        wanted: `unit` or `standardize`.
        train: of all training rows; a channel that never varies is centred and not stretched.
    """
    channels = len(train.pixel_counts)
    if wanted == "unit":
        return (1 / 255,) * channels, (0.0,) * channels
    deviations = [deviation or 255.0 for deviation in train.deviation().tolist()]
    offset = tuple(-mean / deviation for mean, deviation in zip(train.mean().tolist(), deviations, strict=True))
    return tuple(1 / deviation for deviation in deviations), offset
