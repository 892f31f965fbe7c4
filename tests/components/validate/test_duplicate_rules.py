"""duplicate_rules: leaks, label conflicts and repeated rows are found, with severities by their limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.validate.validate import Params
from tests.components.statistics_by_hand import group, split, statistics
from tests.components.validate.breaches import duplicates, find, severities_of


@given(st.integers(1, 400), st.integers(0, 400))
def test_leaks_and_label_conflicts_are_errors_just_above_their_limit(count, allowed):
    both = duplicates(leaks=count, label_conflicts=count)
    counted = statistics(both, train=split(500, 500, 600), test=split(100, 150, 150))
    leaks = Params(max_leaked_fraction=allowed / 400)
    conflicts = Params(max_contradicting_fraction=allowed / 2000)
    expected = {"error" if count > allowed else "warn"}
    assert severities_of("leaks", counted, leaks) == severities_of("contradictions", counted, conflicts) == expected


def test_rule_set_to_error_turns_its_warnings_into_errors():
    counted = statistics(duplicates(leaks=1), test=split(500, 500, 1000), train=split(500, 500, 1000))
    assert severities_of("leaks", counted, Params()) == {"warn"}
    assert severities_of("leaks", counted, Params(error=("leaks",))) == {"error"}


def test_repeated_row_is_paired_with_the_first_row_of_its_split_and_label():
    places = (("train", 1, 0), ("train", 4, 1), ("train", 8, 1), ("train", 9, 1), ("test", 2, 1), ("test", 3, 1))
    repeats = duplicates(repeats={"train": 2, "test": 1, "other": 0}, repeat_groups=(group(*places),))
    test, train = sorted(find(statistics(repeats)), key=lambda anomaly: anomaly.split)
    assert test.message.endswith("label: row 3 (test/3.png) has the same pixels as row 2 (test/2.png)")
    assert train.message.endswith(
        "label: row 8 (train/8.png) has the same pixels as row 4 (train/4.png), "
        "row 9 (train/9.png) has the same pixels as row 4 (train/4.png)"
    )
    assert (test.rows, train.rows) == ({"test": (3,)}, {"train": (8, 9)})


def test_leak_is_reported_even_if_its_group_names_no_test_row():
    often = group(*(("train", row, 0) for row in range(10)), rows=12)
    (anomaly,) = find(statistics(duplicates(leaks=2, leak_groups=(often,))))
    assert anomaly.message.endswith("0.001 allows")
    assert anomaly.rows == {}
