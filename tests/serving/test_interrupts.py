"""A stop is raised once, where the work is, and held back while something is put in place."""

from __future__ import annotations

import signal

import pytest

from serving import interrupts
from serving.interrupts import Terminated, finishing, raise_on_signals

STOPS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


pytestmark = pytest.mark.usefixtures("handled_signals")


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_signal_is_raised_where_the_work_is(number, kind):
    with pytest.raises(kind):
        signal.raise_signal(number)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_does_not_break_into_the_cleaning_up(second):
    cleaned = []

    def work():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(second)
            cleaned.append("up")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert cleaned == ["up"]


def test_later_signal_is_raised_again_because_the_first_may_have_been_swallowed(monkeypatch):
    monkeypatch.setattr(interrupts, "GRACE_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_what_is_being_put_in_place_is_finished_first(number, kind):
    done = []

    @finishing()
    def put():
        with finishing():
            signal.raise_signal(number)
        done.append("inner")

    with pytest.raises(kind):
        put()
    assert done == ["inner"]
    with finishing():
        done.append("nothing is raised twice")


def test_ignored_signal_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_on_signals()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
