"""Ctrl-C in each of the nine steps: what is left is whole, and the same command goes on from there."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.stops import Chain, moments, stopped_chain
from tests.e2e.test_tiny import STEPS

# verify waits for a process of its own, which a terminal's Ctrl-C reaches too.
MOMENTS = [*moments(["ingest", "validate", "train", "export"]), ("verify", "child"), ("promote", "after")]


@pytest.fixture(scope="module")
def chain(new_project, tmp_path_factory) -> Chain:
    return stopped_chain(new_project, tmp_path_factory.mktemp("tfds"))


@pytest.mark.parametrize(("step", "moment"), sorted(MOMENTS, key=lambda at: STEPS.index(at[0])))
def test_ctrl_c_in_a_step_leaves_nothing_half_made(chain, step, moment):
    chain.stop(step, moment, signal.SIGINT, 130)


def test_run_that_was_interrupted_everywhere_ends_with_the_same_bytes(chain):
    chain.require_completed_as_undisturbed()
