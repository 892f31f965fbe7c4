"""Examples + Statistics -> Anomalies: the data contract, whose breach stops the run before training."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.anomalies import Anomalies, Anomaly
from components.artifacts.examples import SPLITS, Examples
from components.artifacts.statistics import SplitStatistics, Statistics

RULES = ("split-empty", "type", "shape", "label-range", "class-missing")


def run(examples: Examples, statistics: Statistics, out: Path) -> Anomalies:
    """Holds every split's statistics against what the data set declares."""
    found = [Anomaly("split-empty", split, "has no row") for split in SPLITS if split not in statistics.splits]
    for split, counted in sorted(statistics.splits.items()):
        found += find_anomalies(split, counted, examples.image_shape, examples.class_names)
    return Anomalies(
        path=out,
        found=tuple(found),
        checked=RULES,
        passed=not found,
        reasons=tuple(str(anomaly) for anomaly in found),
    ).save()


def find_anomalies(
    split: str, counted: SplitStatistics, image_shape: tuple[int, int, int], class_names: tuple[str, ...]
) -> list[Anomaly]:
    """The broken rules of one split.

    Args:
        split: its name.
        counted: its statistics.
        image_shape: (height, width, channels) that every image should have.
        class_names: by integer label; every class should occur, and no other label.
    """
    anomalies = []
    for seen in sorted(counted.image_types):
        dtype, shape = seen.split(" ", 1)
        if dtype != "uint8":
            anomalies.append(Anomaly("type", split, f"images are {dtype}, the pipeline takes uint8"))
        if shape != str(image_shape):
            anomalies.append(Anomaly("shape", split, f"images have shape {shape}, the data set declares {image_shape}"))
    for seen in sorted(counted.label_types - {"int64"}):
        anomalies.append(Anomaly("type", split, f"labels are {seen}, the pipeline takes int64"))
    classes = range(len(class_names))
    for label, rows in sorted(counted.label_counts.items()):
        if label not in classes:
            message = f"{rows:,} rows have label {label}, the data set declares 0 to {len(class_names) - 1}"
            anomalies.append(Anomaly("label-range", split, message))
    for label in classes:
        if label not in counted.label_counts:
            message = f"class {label} ({class_names[label]}) has no row among {counted.rows:,}"
            anomalies.append(Anomaly("class-missing", split, message))
    return anomalies
