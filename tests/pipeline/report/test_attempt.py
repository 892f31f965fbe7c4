"""attempt: a failure is reported in one sentence, with the traceback in the log, and is not raised."""

from __future__ import annotations

import logging

import pytest

from pipeline.report.attempt import attempt
from serving.errors import BeamlineError


def test_result_is_returned_without_a_message():
    messages = []
    assert attempt("it failed", lambda: 5, messages.append) == 5
    assert messages == []


@pytest.mark.parametrize(
    ("error", "message"),
    [(BeamlineError("the reason"), "it failed: the reason"), (KeyError("x"), "it failed: KeyError: 'x'")],
)
def test_failure_is_reported_and_the_traceback_is_logged(caplog, error, message):
    def fail():
        raise error

    messages = []
    with caplog.at_level(logging.DEBUG, "beamline.report"):
        assert attempt("it failed", fail, messages.append) is None
    assert messages == [message]
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_interruption_is_raised():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt("it failed", interrupt, print)
