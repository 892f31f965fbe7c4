"""The real pipeline under Beam, in this process: each of its nine steps counts itself."""

from __future__ import annotations

from pipeline.beam_runner import METRICS, run_steps
from pipeline.definition import pipeline
from pipeline.options import parse_run
from pipeline.store import Store
from tests.e2e.test_tiny import STEPS


def test_each_of_the_nine_steps_is_in_beams_metrics(made, tmp_path):
    arguments = ["--dataset", "tiny", "--data-dir", str(made.data_dir), "--evaluate.min-accuracy", "0.9"]
    request = parse_run([*arguments, "--models", str(tmp_path / "models")])
    outcomes, result = run_steps(pipeline(request.config, "0001"), {}, Store(tmp_path / "runs"), request)
    assert [outcome.outcome for outcome in outcomes.values()] == ["executed"] * 9
    counters = [metric for metric in result.metrics().query()["counters"] if metric.key.metric.namespace == METRICS]
    counted = {metric.key.metric.name: metric.committed for metric in counters if metric.key.metric.name in STEPS}
    assert counted == dict.fromkeys(STEPS, 1)
    assert {metric.key.step for metric in counters} == set(STEPS)
