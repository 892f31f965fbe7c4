"""SplitStatistics -> Anomaly: the rules of the images and labels of one split, and of the classes of both splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.artifacts.anomalies import Anomaly, Severity
from components.artifacts.statistics import NO_ROWS, InvalidRows, SplitStatistics
from components.validate.row_text import (
    DescribeRow,
    colon_list,
    compare_with_limit,
    format_first_items,
    format_share,
    invalid_rows_anomaly,
)

# Numbers of channels of pictures: grey, grey and opacity, colours, colours and opacity.
FEW_CHANNELS = (1, 2, 3, 4)
BOTH_SPLITS = "train and test"
# By noun and kind of invalid row: what is wrong, the format of a row's value, and the severity.
INVALID_ROWS: dict[str, dict[str, tuple[str, str, Severity]]] = {
    "images": {
        "nan": ("have pixels that are not finite numbers", " has {:,.0f} of these pixels", "error"),
        "range": ("have pixels outside 0 to 255", " has the value {:.15g}", "error"),
        # Such an image teaches the model nothing, and breaks nothing.
        "constant": ("have the same value in every pixel", " has the value {:.15g}", "warn"),
    },
    "labels": {
        "label-fraction": ("are not whole numbers", " has the label {:.15g}", "error"),
        "label-nan": ("are not finite numbers", "", "error"),
    },
}


def check_images(
    split: str, counted: SplitStatistics, image_shape: tuple[int, int, int], describe: DescribeRow
) -> Iterator[Anomaly]:
    """Finds images of the wrong type, of another shape than declared, with invalid pixels, or of one value."""
    for seen in sorted(counted.image_types):
        dtype, shape = seen.split(" ", 1)
        if dtype != "uint8":
            yield Anomaly("type", split, f"images are {dtype}, the pipeline takes uint8: save them as uint8, 0 to 255")
        if shape != str(image_shape):
            yield Anomaly("shape", split, f"images have shape {shape}, the data set declares {image_shape}")
    yield from _check_values(split, counted, "images", describe)


def check_channels(split: str, rows: int, image_shape: tuple[int, int, int]) -> Iterator[Anomaly]:
    """Finds images that were probably stored with the channels first: few rows of pixels, and many channels."""
    height, width, channels = image_shape
    if height in FEW_CHANNELS and channels > max(FEW_CHANNELS) and width > max(FEW_CHANNELS):
        text = (
            f"its {rows:,} images are {height} pixels high and have {channels} channels, as if channels were first: if "
            f"so, save them with images.transpose(0, 2, 3, 1), as images of {width}×{channels}; if not, add "
            "--validate.off channels-first"
        )
        yield Anomaly("channels-first", split, text)


def check_labels(split: str, counted: SplitStatistics, classes: int, describe: DescribeRow) -> Iterator[Anomaly]:
    """Finds labels of the wrong type, and labels that are none of the declared classes."""
    for seen in sorted(counted.label_types - {"int64"}):
        yield Anomaly("type", split, f"labels are {seen}, the pipeline takes int64: save them as int64")
    outside = {label: rows for label, rows in sorted(counted.label_counts.items()) if label not in range(classes)}
    if outside:
        rows = sum(outside.values())
        # The counts cover all labels; only the first rows are named.
        invalid = InvalidRows(rows, counted.invalid.get("label-range", NO_ROWS).named)
        labels = format_first_items((f"label {label} in {count:,}" for label, count in outside.items()), len(outside))
        message = f"{format_share(rows, counted.rows, 'labels')} are outside 0 to {classes - 1} ({labels})"
        yield invalid_rows_anomaly("label-range", split, invalid, message, " has the label {:d}", describe)
    yield from _check_values(split, counted, "labels", describe)


def _check_values(split: str, counted: SplitStatistics, noun: str, describe: DescribeRow) -> Iterator[Anomaly]:
    for kind, (fault, value_format, severity) in INVALID_ROWS[noun].items():
        if kind in counted.invalid:
            invalid = counted.invalid[kind]
            message = f"{format_share(invalid.rows, counted.rows, noun)} {fault}"
            yield invalid_rows_anomaly(kind, split, invalid, message, value_format, describe, severity)


def check_dominant_class(
    split: str, counted: SplitStatistics, class_names: tuple[str, ...], limit: float
) -> Iterator[Anomaly]:
    """Finds a class with more than a fraction of a split's rows.

    A model that always predicts such a class would have a high accuracy.
    """
    counts = _counts(counted, len(class_names))
    label = max(range(len(counts)), key=lambda label: (counts[label], -label), default=0)
    severity, excess_text = compare_with_limit(counts[label] / counted.rows, limit, "max-class-fraction")
    if severity == "error":
        message = (
            f"{_class_text(label, class_names)} has {format_share(counts[label], counted.rows, 'rows')}{excess_text}"
        )
        yield Anomaly("class-dominant", split, message)


def check_classes(
    splits: Mapping[str, SplitStatistics], class_names: tuple[str, ...], min_rows: int
) -> Iterator[Anomaly]:
    """Finds classes that are missing or rare, with fewer than `min_rows` training rows, in training or test.

    `splits` has train and test, both with rows.
    """
    classes = range(len(class_names))
    train, test = (_counts(splits[split], len(class_names)) for split in ("train", "test"))
    untrained = {c: f", which has {test[c]:,} in test" for c in classes if test[c] and not train[c]}
    untested = {c: f", which has {train[c]:,} in train" for c in classes if train[c] and not test[c]}
    unused = {c: "" for c in classes if not train[c] and not test[c]}
    rare = {c: f" has {train[c]:,}" for c in classes if 0 < train[c] < min_rows}

    def listed(found: Mapping[int, str]) -> str:
        return colon_list((_class_text(label, class_names) + text for label, text in found.items()), len(found))

    of_classes = f"of {len(class_names):,} classes"
    if untrained:
        message = f"{len(untrained)} {of_classes} have test rows and no training rows{listed(untrained)}"
        yield Anomaly("class-untrained", "train", message)
    if untested:
        message = f"{len(untested)} {of_classes} have training rows and no test rows{listed(untested)}"
        yield Anomaly("class-untested", "test", message, "warn")
    if unused:
        yield Anomaly("class-unused", BOTH_SPLITS, f"{len(unused)} {of_classes} have no row{listed(unused)}", "warn")
    if rare:
        message = f"{len(rare)} {of_classes} have fewer rows than --validate.min-class-rows {min_rows:,}{listed(rare)}"
        yield Anomaly("class-rare", "train", message, "warn")


def _counts(counted: SplitStatistics, classes: int) -> list[int]:
    return [counted.label_counts.get(label, 0) for label in range(classes)]


def _class_text(label: int, class_names: tuple[str, ...]) -> str:
    return f"class {label} ({class_names[label]})"
