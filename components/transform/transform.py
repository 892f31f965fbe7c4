"""Statistics + Anomalies -> Transform: the preprocessing, decided once from the training split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from components.artifacts.anomalies import Anomalies
from components.artifacts.preprocessing import NONE, Augmentation, Transform
from components.artifacts.statistics import SplitStatistics, Statistics
from serving.arguments.ranges import Range, require_ranges


@dataclass(frozen=True)
class Params:
    """How pixels become the model's input.

    Attributes:
        normalization: `unit` divides by 255; `standardize` then subtracts the training split's mean and
            divides by its deviation, by channel.
        augment: move every training image at random in each epoch, within the three limits.
        shift: with --transform.augment, the largest shift, a fraction of height and width.
        rotation: with --transform.augment, the largest rotation, in degrees.
        zoom: with --transform.augment, the largest change of the size, a fraction.
    """

    normalization: Literal["unit", "standardize"] = "unit"
    augment: bool = False
    shift: Annotated[float, Range(0, 1, below=True)] = 0.1
    rotation: Annotated[float, Range(0, 180)] = 10.0
    zoom: Annotated[float, Range(0, 1, below=True)] = 0.1

    def __post_init__(self) -> None:
        """Refuses limits that leave nothing of an image. Raises: InputError."""
        require_ranges(self, Params, "--transform.")


def run(statistics: Statistics, anomalies: Anomalies, params: Params, out: Path) -> Transform:
    """Computes the numbers of the normalisation and of the augmentation; `anomalies` only gives its verdict."""
    scale, offset = normalization(params.normalization, statistics.splits["train"])
    return Transform(
        path=out,
        normalization=params.normalization,
        scale=scale,
        offset=offset,
        class_names=statistics.class_names,
        # Without augmentation, the limits must not change the artifact, and so not the keys of later steps.
        augmentation=Augmentation(params.shift, params.rotation, params.zoom) if params.augment else NONE,
    ).save()


def normalization(
    wanted: Literal["unit", "standardize"], train: SplitStatistics
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scale and offset by channel: pixel · scale + offset is the model's input; constant channels are only centred."""
    channels = len(train.pixel_counts)
    if wanted == "unit":
        return (1 / 255,) * channels, (0.0,) * channels
    deviations = [deviation or 255.0 for deviation in train.deviation()]
    offset = tuple(-mean / deviation for mean, deviation in zip(train.mean(), deviations, strict=True))
    return tuple(1 / deviation for deviation in deviations), offset
