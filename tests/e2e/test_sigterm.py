"""SIGTERM in each of the nine steps: what is left is whole, and the same command goes on from there."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.stops import Chain, stopped_chain
from tests.e2e.test_tiny import STEPS

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def chain(promoted_tiny, new_project, data_dir) -> Chain:
    return stopped_chain(promoted_tiny[0], new_project(), data_dir)


# What Ctrl-C stops as it begins, SIGTERM stops as it has written its files, and the other way round.
MOMENTS = {"analyze": "after", "transform": "after", "evaluate": "after", "verify": "after"}


@pytest.mark.parametrize("step", STEPS)
def test_sigterm_in_a_step_leaves_nothing_half_made(chain, step):
    chain.stop(step, MOMENTS.get(step, "before"), signal.SIGTERM, 143)


def test_run_that_was_terminated_everywhere_ends_with_the_same_bytes(chain):
    chain.require_completed_as_undisturbed()
