"""Duplicates -> Anomaly: the rules on leaks, label conflicts and repeats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from components.artifacts.anomalies import Anomaly
from components.artifacts.duplicates import Duplicates, Group, Place
from components.validate.row_text import DescribeRow, colon_list, compare_with_limit, format_share
from components.validate.split_rules import BOTH_SPLITS


def check_leaks(duplicates: Duplicates, test_rows: int, limit: float, describe: DescribeRow) -> Iterator[Anomaly]:
    """Finds test images that are in training too: their predictions say nothing about new images.

    They are an error if they exceed `limit`, the largest allowed fraction of such images among the test images.
    """
    if not duplicates.leaks:
        return
    severity, excess_text = compare_with_limit(duplicates.leaks / max(test_rows, 1), limit, "max-leaked-fraction")
    message = f"{format_share(duplicates.leaks, test_rows, 'images')} are in the training split too{excess_text}"
    # A group lists only its first places, training rows first, so a large group may list no test row.
    pairs = [(place, group.places[0]) for group in duplicates.leak_groups for place in group.places if place.test]
    listed = colon_list(
        (f"{_row(test, describe)} has the same pixels as train {_row(train, describe)}" for test, train in pairs),
        duplicates.leaks,
    )
    yield Anomaly("leaks", "test", message + listed, severity, _rows_by_split(test for test, _ in pairs))


def check_label_conflicts(
    duplicates: Duplicates, rows: int, class_names: tuple[str, ...], limit: float, describe: DescribeRow
) -> Iterator[Anomaly]:
    """Finds identical images with different labels: no model can predict both.

    They are an error if they exceed `limit`, the largest allowed fraction of such images among all rows.
    """
    if not duplicates.label_conflicts:
        return

    def place_text(place: Place) -> str:
        known = 0 <= place.label < len(class_names)
        label = class_names[place.label] if known else f"label {place.label}"
        return f"{place.split} {_row(place, describe)} as {label}"

    count = duplicates.label_conflicts
    severity, excess_text = compare_with_limit(count / max(rows, 1), limit, "max-contradicting-fraction")
    message = f"{format_share(count, rows, 'images')} have more than one label{excess_text}"
    conflicts = [pair for group in duplicates.label_conflict_groups if (pair := _label_conflict(group)) is not None]
    listed = colon_list((f"{place_text(one)} and {place_text(other)}" for one, other in conflicts), count)
    places = (place for group in duplicates.label_conflict_groups for place in group.places)
    yield Anomaly("contradictions", BOTH_SPLITS, message + listed, severity, _rows_by_split(places))


def check_repeats(duplicates: Duplicates, rows: Mapping[str, int], describe: DescribeRow) -> Iterator[Anomaly]:
    """Finds rows that repeat an earlier row of their split with the same label: they only add weight."""
    for split, count in sorted(duplicates.repeats.items()):
        if not count:
            continue
        repeats = [pair for group in duplicates.repeat_groups for pair in _repeats(group, split)]
        message = f"{format_share(count, rows[split], 'rows')} repeat an earlier row with the same label"
        listed = colon_list(
            (f"{_row(later, describe)} has the same pixels as {_row(first, describe)}" for later, first in repeats),
            count,
        )
        yield Anomaly("duplicates", split, message + listed, "warn", _rows_by_split(later for later, _ in repeats))


def _label_conflict(group: Group) -> tuple[Place, Place] | None:
    """The first place of an image and the first place with another label; None if the group does not list one."""
    first = group.places[0]
    return next(((first, place) for place in group.places if place.label != first.label), None)


def _repeats(group: Group, split: str) -> Iterator[tuple[Place, Place]]:
    """Pairs of a later place in the split and the first place there with the same label."""
    first: dict[int, Place] = {}
    for place in group.places:
        if place.split == split:
            if place.label in first:
                yield place, first[place.label]
            first.setdefault(place.label, place)


def _row(place: Place, describe: DescribeRow) -> str:
    return describe(place.split, place.row)


def _rows_by_split(places: Iterable[Place]) -> dict[str, tuple[int, ...]]:
    rows: dict[str, set[int]] = {}
    for place in places:
        rows.setdefault(place.split, set()).add(place.row)
    return {split: tuple(sorted(found)) for split, found in sorted(rows.items())}
