"""accuracy: labels that can be confused with the names of classes are explained."""

from __future__ import annotations

from collections import Counter

import pytest

from serving.batch.accuracy import accuracy, accuracy_lines, numbers_note


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (("0", "1", "2"), None),
        (("cat", "dog"), None),
        (("1", "2", "many"), None),
        (("1", "2"), "labels are positions of classes, not their names: 0 is class 1, 1 is class 2"),
        (
            ("0", "1", "10", "11", "2"),
            "labels are positions of classes, not their names: 0 is class 0, 1 is class 1, 2 is class 10, …",
        ),
    ],
)
def test_numbers_as_names_are_explained_if_they_differ_from_the_labels(names, note):
    assert numbers_note(names) == note
    lines = accuracy_lines(accuracy(Counter({(0, 0): 3, (1, 0): 1}), len(names)), names)
    assert lines[0].startswith("accuracy 0.7500 (3 of 4)")
    assert (note in lines) == (note is not None)
