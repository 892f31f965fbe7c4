"""The real pipeline under Beam, in this process: each of its nine steps counts itself."""

from __future__ import annotations

import pytest

from pipeline.definition import pipeline
from pipeline.engine.execute import Execution
from pipeline.engine.plan import METRICS, run_steps
from pipeline.engine.store import Store
from pipeline.settings.options import parse_run
from tests.e2e.test_tiny import STEPS

pytestmark = pytest.mark.exhaustive


def test_each_of_the_nine_steps_is_in_beams_metrics(made, tmp_path):
    arguments = ["--dataset", "tiny", "--data-dir", str(made.data_dir), "--evaluate.min-accuracy", "0.9"]
    request = parse_run([*arguments, "--models", str(tmp_path / "models")])
    execution = Execution(request.config.context("0001"))
    outcomes, result = run_steps(pipeline(request.config), {}, Store(tmp_path / "runs"), execution)
    assert [outcome.outcome for outcome in outcomes.values()] == ["executed"] * 9
    counters = [metric for metric in result.metrics().query()["counters"] if metric.key.metric.namespace == METRICS]
    counted = {metric.key.metric.name: metric.committed for metric in counters if metric.key.metric.name in STEPS}
    assert counted == dict.fromkeys(STEPS, 1)
    assert {metric.key.step for metric in counters} == set(STEPS)
