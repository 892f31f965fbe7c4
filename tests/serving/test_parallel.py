"""parallel: the order of the items, several at once, and never more than a few ahead."""

from __future__ import annotations

import threading

import pytest

from serving.parallel import WAITING, in_order
from tests.conftest import interrupted_at


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("items", [0, 1, 3, 100])
def test_results_come_in_the_items_order(threads, items):
    assert list(in_order(lambda item: item * item, range(items), threads)) == [item * item for item in range(items)]


def test_several_are_under_way_at_once():
    met = threading.Barrier(3, timeout=300)
    assert list(in_order(lambda item: met.wait() >= 0, range(3), 3)) == [True] * 3


@pytest.mark.parametrize("threads", [1, 3])
def test_items_are_begun_only_a_few_ahead_of_the_results(threads):
    begun = []
    for given, result in enumerate(in_order(lambda item: begun.append(item) or item, range(100), threads)):
        assert result == given
        # What was given back is counted when the next one is asked for.
        assert len(begun) <= given + 1 + threads + WAITING


def test_first_failure_in_order_is_raised_and_nothing_is_begun_after_it():
    begun = []

    def fail(item):
        begun.append(item)
        if item >= 3:
            raise ValueError(item)
        return item

    results = in_order(fail, range(1000), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"^3$"):
        next(results)
    assert len(begun) <= 3 + 1 + 2 + WAITING


def test_results_that_nobody_takes_are_not_made():
    begun = []
    results = in_order(begun.append, range(1000), 2)
    next(results)
    results.close()
    assert len(begun) <= 1 + 2 + WAITING
    assert not any("(run)" in thread.name for thread in threading.enumerate())


@pytest.mark.usefixtures("handled_signals")
# The stop may come inside of what another library has called by the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_stop_at_any_moment_ends_every_thread():
    def work():
        for _ in in_order(lambda item: sum(range(20_000)), range(200), 2):
            pass

    for nth in range(1, 200, 7):
        interrupted_at(nth, work)
        # One that was just being started ends by itself.
        for _ in range(1_000_000):
            if not (left := [thread for thread in threading.enumerate() if "(run)" in thread.name]):
                break
        assert not left, nth
