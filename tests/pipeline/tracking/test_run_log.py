"""run_log: what MLflow shows of a run, within MLflow's limits."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.outcome import Outcome
from pipeline.records.run_history import RunHistory
from pipeline.tracking.run_log import collect_metrics, truncate
from tests.pipeline.requests import recorded


@given(st.text(), st.integers(2, 50))
def test_text_is_truncated_to_the_limit(text, characters):
    assert len(truncate(text, characters)) <= characters
    assert truncate(text, characters) == text or len(text) > characters


def test_failed_run_has_its_parameters_and_reasons(tmp_path):
    begun = RunHistory(tmp_path).begin("0001", *recorded("--dataset", "folder:/a=b/ü?", "--model", "tiny"))
    failed = (Outcome("train", "failed", reasons=("é" * 9000,), exit_code=1),)
    logged = collect_metrics(replace(begun, verdict="failed", steps=failed), None, None, None)
    assert (logged.params["train.hidden"], logged.params["train.epochs"]) == ("[128, 128]", "5")
    assert logged.epochs == ()
    assert logged.tags["beamline.verdict"] == "failed"
    assert logged.tags["beamline.reasons"].startswith("train: éé")
    assert all(0 < len(value) <= 6000 for value in (*logged.params.values(), *logged.tags.values()))
    assert json.dumps(logged.metrics) == '{"run_seconds": 0.0}'
