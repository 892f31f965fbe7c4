"""The rules of the labels of one split, and of the classes of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.artifacts.anomalies import Anomaly
from components.artifacts.odd import Odd
from components.artifacts.statistics import SplitStatistics
from components.contract.rows import Describe, beyond, named, odd_rows, several, share

BOTH = "train and test"
# Of each kind of label that is no class, what they are, and what a row's value is.
ODD = {"label-fraction": ("are no whole number", " has {:.15g}"), "label-nan": ("are no finite number", "")}


def find_in_labels(split: str, counted: SplitStatistics, classes: int, describe: Describe) -> Iterator[Anomaly]:
    """What is wrong with the labels of a split.

    Args:
        split: its name.
        counted: its statistics.
        classes: how many the data set declares.
        describe: a row in words.
    """
    for seen in sorted(counted.label_types - {"int64"}):
        yield Anomaly("type", split, f"labels are {seen}, the pipeline takes int64: save whole numbers of that type")
    outside = {label: rows for label, rows in sorted(counted.label_counts.items()) if label not in range(classes)}
    if outside:
        rows = sum(outside.values())
        # The labels are all counted, of the rows only the first are named.
        odd = Odd(rows, counted.odd.get("label-range", Odd(0, ())).named)
        labels = several((f"label {label} in {count:,}" for label, count in outside.items()), len(outside))
        said = f"{share(rows, counted.rows, 'labels')} are outside 0 to {classes - 1} ({labels})"
        yield odd_rows("label-range", split, odd, said, " has {:d}", describe)
    for kind, (what, each) in ODD.items():
        if kind in counted.odd:
            odd = counted.odd[kind]
            yield odd_rows(kind, split, odd, f"{share(odd.rows, counted.rows, 'labels')} {what}", each, describe)


def find_dominant(
    split: str, counted: SplitStatistics, class_names: tuple[str, ...], limit: float
) -> Iterator[Anomaly]:
    """A class that holds nearly all rows of a split: a model that always says its name would look good.

    Args:
        split: its name.
        counted: its statistics.
        class_names: by integer label.
        limit: the fraction of the rows that one class may hold.
    """
    counts = _counts(counted, len(class_names))
    label = max(range(len(counts)), key=lambda label: (counts[label], -label), default=0)
    severity, words = beyond(counts[label] / counted.rows, limit, "max-class-fraction")
    if severity == "error":
        said = f"{_class(label, class_names)} holds {share(counts[label], counted.rows, 'rows')}{words}"
        yield Anomaly("class-dominant", split, said)


def find_in_classes(
    splits: Mapping[str, SplitStatistics], class_names: tuple[str, ...], min_rows: int
) -> Iterator[Anomaly]:
    """Classes that are missing or rare in training or test.

    Args:
        splits: train and test, neither of them empty.
        class_names: by integer label.
        min_rows: training rows, of which a class should not have fewer.
    """
    classes = range(len(class_names))
    train, test = (_counts(splits[split], len(class_names)) for split in ("train", "test"))
    untrained = {c: f", which has {test[c]:,} in test" for c in classes if test[c] and not train[c]}
    untested = {c: f", which has {train[c]:,} in train" for c in classes if train[c] and not test[c]}
    unused = {c: "" for c in classes if not train[c] and not test[c]}
    rare = {c: f" has {train[c]:,}" for c in classes if 0 < train[c] < min_rows}

    def words(found: Mapping[int, str]) -> str:
        return named((_class(label, class_names) + said for label, said in found.items()), len(found))

    of = f"of {len(class_names):,} classes"
    if untrained:
        said = f"{len(untrained)} {of} are tested and have no row here{words(untrained)}"
        yield Anomaly("class-untrained", "train", said)
    if untested:
        said = f"{len(untested)} {of} are trained and have no row here{words(untested)}"
        yield Anomaly("class-untested", "test", said, "warn")
    if unused:
        yield Anomaly("class-unused", BOTH, f"{len(unused)} {of} have no row{words(unused)}", "warn")
    if rare:
        said = f"{len(rare)} {of} have fewer rows than --validate.min-class-rows {min_rows:,}{words(rare)}"
        yield Anomaly("class-rare", "train", said, "warn")


def _counts(counted: SplitStatistics, classes: int) -> list[int]:
    return [counted.label_counts.get(label, 0) for label in range(classes)]


def _class(label: int, class_names: tuple[str, ...]) -> str:
    return f"class {label} ({class_names[label]})"
