"""turns: each work runs in every round, and ratios compare the same round."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.turns import ratio, take_turns


def test_each_work_runs_once_per_round():
    done = []

    def work(name):
        return lambda: done.append(name) or float(len(done))

    assert take_turns({"ours": work("ours"), "theirs": work("theirs")}, 3) == {
        "ours": [1.0, 3.0, 5.0],
        "theirs": [2.0, 4.0, 6.0],
    }
    assert done == ["ours", "theirs"] * 3


def test_ratio_compares_the_same_round():
    found = ratio([2.0, 40.0, 9.0], [1.0, 10.0, 3.0])
    assert (found.median, found.low, found.high) == (3.0, 2.0, 4.0)
    assert str(found) == "3.00 (2.00 to 4.00)"


def test_spread_of_many_rounds_excludes_the_outer_ones():
    ratios = [float(number) for number in range(1, 26)]
    found = ratio(ratios, [1.0] * 25)
    low, *_, high = statistics.quantiles(ratios, n=10)
    assert (found.median, found.low, found.high) == (13.0, pytest.approx(low), pytest.approx(high))
