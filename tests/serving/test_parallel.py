"""parallel: results in the items' order, several at once, and a bounded number ahead."""

from __future__ import annotations

import threading

import pytest

from serving.parallel import WAITING, map_in_order
from tests.conftest import interrupted_at


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("items", [0, 1, 3, 100])
def test_results_come_in_the_items_order(threads, items):
    assert list(map_in_order(lambda item: item * item, range(items), threads)) == [item * item for item in range(items)]


def test_several_items_are_in_progress_at_once():
    met = threading.Barrier(3, timeout=300)
    assert list(map_in_order(lambda item: met.wait() >= 0, range(3), 3)) == [True] * 3


@pytest.mark.parametrize("threads", [1, 3])
def test_items_are_started_only_a_few_ahead_of_the_results(threads):
    started = []
    for yielded, result in enumerate(map_in_order(lambda item: started.append(item) or item, range(100), threads)):
        assert result == yielded
        # The generator starts further items when the next result is requested.
        assert len(started) <= yielded + 1 + threads + WAITING


def test_first_error_in_order_is_raised_and_few_items_are_started_after_it():
    started = []

    def fail(item):
        started.append(item)
        if item >= 3:
            raise ValueError(item)
        return item

    results = map_in_order(fail, range(1000), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"^3$"):
        next(results)
    assert len(started) <= 3 + 1 + 2 + WAITING


def test_results_after_closing_the_generator_are_not_computed():
    started = []
    results = map_in_order(started.append, range(1000), 2)
    next(results)
    results.close()
    assert len(started) <= 1 + 2 + WAITING
    assert not any("(run)" in thread.name for thread in threading.enumerate())


@pytest.mark.usefixtures("handled_signals")
# The interrupt may arrive in a callback of the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupt_at_any_moment_ends_every_thread():
    def work():
        for _ in map_in_order(lambda item: sum(range(20_000)), range(200), 2):
            pass

    for nth in range(1, 200, 7):
        interrupted_at(nth, work)
        # A thread that was being started ends by itself.
        for _ in range(1_000_000):
            if not (alive := [thread for thread in threading.enumerate() if "(run)" in thread.name]):
                break
        assert not alive, nth


@pytest.mark.parametrize("given", [0, 1, 3])
def test_system_that_gives_few_threads_gets_the_same_results(monkeypatch, given):
    real, started = threading.Thread.start, []

    def start(thread):
        if len(started) == given:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert list(map_in_order(lambda number: number * 2, range(100), 8)) == list(range(0, 200, 2))
    assert len(started) == given
