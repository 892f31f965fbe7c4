"""interrupts: raised once in the main thread, and deferred while a change is completed."""

from __future__ import annotations

import signal

import pytest

from serving import interrupts
from serving.interrupts import Terminated, defer_interrupts, raise_on_signals

STOPS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


pytestmark = pytest.mark.usefixtures("handled_signals")


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_signal_is_raised_in_the_main_thread(number, kind):
    with pytest.raises(kind):
        signal.raise_signal(number)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_does_not_interrupt_the_cleanup(second):
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


def test_later_signal_is_raised_again(monkeypatch):
    monkeypatch.setattr(interrupts, "GRACE_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_signal_is_deferred_to_the_end_of_the_outer_block(number, kind):
    done = []

    @defer_interrupts()
    def replace():
        with defer_interrupts():
            signal.raise_signal(number)
        done.append("inner")

    with pytest.raises(kind):
        replace()
    assert done == ["inner"]
    with defer_interrupts():
        done.append("no second exception")


def test_ignored_signal_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_on_signals()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
