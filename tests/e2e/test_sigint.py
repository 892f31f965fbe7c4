"""Ctrl-C in each of the nine steps: what is left is whole, and the same command goes on from there."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.stops import Chain, stopped_chain
from tests.e2e.test_tiny import STEPS

# Each step is stopped once as it begins and once as it has written its files: here one of the two, with SIGTERM the
# other, because each start of TensorFlow takes seconds. verify waits for a process of its own, which a terminal's
# Ctrl-C reaches too.
MOMENTS = {"analyze": "before", "transform": "before", "evaluate": "before", "verify": "child"}


pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def chain(promoted_tiny, new_project, data_dir) -> Chain:
    return stopped_chain(promoted_tiny[0], new_project(), data_dir)


@pytest.mark.parametrize("step", STEPS)
def test_ctrl_c_in_a_step_leaves_nothing_half_made(chain, step):
    chain.stop(step, MOMENTS.get(step, "after"), signal.SIGINT, 130)


def test_run_that_was_interrupted_everywhere_ends_with_the_same_bytes(chain):
    chain.require_completed_as_undisturbed()
