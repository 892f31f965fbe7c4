"""SIGTERM in each of the nine steps: what is left is whole, and the same command goes on from there."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.stops import Chain, moments, stopped_chain


@pytest.fixture(scope="module")
def chain(new_project, tmp_path_factory) -> Chain:
    return stopped_chain(new_project, tmp_path_factory.mktemp("tfds"))


@pytest.mark.parametrize(("step", "moment"), moments(["analyze", "transform", "evaluate", "verify", "promote"]))
def test_sigterm_in_a_step_leaves_nothing_half_made(chain, step, moment):
    chain.stop(step, moment, signal.SIGTERM, 143)


def test_run_that_was_terminated_everywhere_ends_with_the_same_bytes(chain):
    chain.require_completed_as_undisturbed()
