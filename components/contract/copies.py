"""The rules of images that stand in the data more than once: across the splits, with other labels, or just again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from components.artifacts.anomalies import Anomaly
from components.artifacts.duplicates import Duplicates, Group, Place
from components.contract.labels import BOTH
from components.contract.rows import Describe, beyond, named, share

Pair = tuple[Place, Place]


def find_leaks(duplicates: Duplicates, test_rows: int, limit: float, describe: Describe) -> Iterator[Anomaly]:
    """Test images that stand in training too: of these the gate sees what was learned by heart.

    Args:
        duplicates: images that stand in the data more than once.
        test_rows: how many test images there are.
        limit: the fraction of them that may leak before it is an error.
        describe: a row in words.
    """
    if not duplicates.leaked:
        return
    severity, more = beyond(duplicates.leaked / max(test_rows, 1), limit, "max-leaked-fraction")
    said = f"{share(duplicates.leaked, test_rows, 'images')} stand in training too{more}"
    # Training rows come first, so that of an image with very many of them no test row may be named.
    pairs = [(place, group.places[0]) for group in duplicates.leaked_groups for place in group.places if place.test]
    words = named(
        (f"{_row(test, describe)} is train {_row(train, describe)}" for test, train in pairs), duplicates.leaked
    )
    yield Anomaly("leaks", "test", said + words, severity, _rows_of(test for test, _ in pairs))


def find_contradictions(
    duplicates: Duplicates, rows: int, class_names: tuple[str, ...], limit: float, describe: Describe
) -> Iterator[Anomaly]:
    """Identical images with different labels, of which no model can learn both.

    Args:
        duplicates: images that stand in the data more than once.
        rows: how many rows all splits have.
        class_names: by integer label.
        limit: the fraction of all rows that such images may be before it is an error.
        describe: a row in words.
    """
    if not duplicates.contradicting:
        return

    def words(place: Place) -> str:
        known = 0 <= place.label < len(class_names)
        label = class_names[place.label] if known else f"label {place.label}"
        return f"{place.split} {_row(place, describe)} as {label}"

    severity, more = beyond(duplicates.contradicting / max(rows, 1), limit, "max-contradicting-fraction")
    count = duplicates.contradicting
    said = f"{share(count, rows, 'images')} stand with more than one label{more}"
    pairs = [pair for group in duplicates.contradicting_groups if (pair := _contradiction(group)) is not None]
    first = named((f"{words(one)} and {words(other)}" for one, other in pairs), count)
    places = (place for group in duplicates.contradicting_groups for place in group.places)
    yield Anomaly("contradictions", BOTH, said + first, severity, _rows_of(places))


def find_repeats(duplicates: Duplicates, rows: Mapping[str, int], describe: Describe) -> Iterator[Anomaly]:
    """Rows that repeat an earlier one of their split with the same label: they only weigh more.

    Args:
        duplicates: images that stand in the data more than once.
        rows: how many rows each split has.
        describe: a row in words.
    """
    for split, count in sorted(duplicates.repeated.items()):
        if not count:
            continue
        pairs = [pair for group in duplicates.repeated_groups for pair in _repeats(group, split)]
        said = f"{share(count, rows[split], 'rows')} repeat an earlier one with the same label"
        words = named((f"{_row(later, describe)} is {_row(first, describe)}" for later, first in pairs), count)
        yield Anomaly("duplicates", split, said + words, "warn", _rows_of(later for later, _ in pairs))


def _contradiction(group: Group) -> Pair | None:
    """The first place of an image, and the first with another label; None where that one is not named."""
    first = group.places[0]
    return next(((first, place) for place in group.places if place.label != first.label), None)


def _repeats(group: Group, split: str) -> Iterator[Pair]:
    """Each place in a split that has an earlier one there with its label, and the first such one."""
    first: dict[int, Place] = {}
    for place in group.places:
        if place.split == split:
            if place.label in first:
                yield place, first[place.label]
            first.setdefault(place.label, place)


def _row(place: Place, describe: Describe) -> str:
    return describe(place.split, place.row)


def _rows_of(places: Iterable[Place]) -> dict[str, tuple[int, ...]]:
    rows: dict[str, set[int]] = {}
    for place in places:
        rows.setdefault(place.split, set()).add(place.row)
    return {split: tuple(sorted(found)) for split, found in sorted(rows.items())}
