"""faults: a random sample of the calls that change files fails; `make test-faults` fails every one of them."""

from __future__ import annotations

import os

import pytest

from tests import tiny_set
from tests.faults.bases import SCENARIOS, Bases
from tests.faults.commands import Commands
from tests.faults.loop import try_faults
from tests.faults.shim import compiler

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(compiler() is None, reason="no C compiler, which makes the library below Python"),
]

# Other calls in each run of CI, and the same ones again with the printed seed.
SEED = int(os.environ.get("BEAMLINE_FAULT_SEED", "0"))
SAMPLE = 6


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    with Commands() as commands:
        data_dir = tmp_path_factory.mktemp("tfds")
        tiny_set.prepare(data_dir, train_rows=200, test_rows=100)
        yield Bases(commands, tmp_path_factory.mktemp("faults"), data_dir)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_failed_call_is_reported_truly_and_loses_nothing(bases, scenario):
    tried = try_faults(scenario, bases, SAMPLE, SEED)
    assert tried.reached > SAMPLE / 2
    assert tried.wrong == []
