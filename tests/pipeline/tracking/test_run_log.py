"""run_log: what MLflow shows of a run, within MLflow's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.outcome import Outcome
from pipeline.records.run_history import RunHistory
from pipeline.tracking.addresses import sqlite_uri
from pipeline.tracking.moved_files import FOLDER_TAG
from pipeline.tracking.run_log import collect_metrics, experiment_id, truncate
from pipeline.tracking.server import TrackingServer
from tests.pipeline.requests import begun


@given(st.text(), st.integers(2, 50))
def test_text_is_truncated_to_the_limit(text, characters):
    assert len(truncate(text, characters)) <= characters
    assert truncate(text, characters) == text or len(text) > characters


def test_failed_run_has_its_parameters_and_reasons(tmp_path):
    began = begun(RunHistory(tmp_path), "--dataset", "folder:/a=b/ü?", "--model", "tiny", run="0001")
    failed = (Outcome("train", "failed", reasons=("é" * 9000,), exit_code=1),)
    logged = collect_metrics(replace(began, verdict="failed", steps=failed), None, None, None)
    assert (logged.params["train.hidden"], logged.params["train.epochs"]) == ("[128, 128]", "5")
    assert logged.epochs == ()
    assert logged.tags["beamline.verdict"] == "failed"
    assert logged.tags["beamline.reasons"].startswith("train: éé")
    assert all(0 < len(value) <= 6000 for value in (*logged.params.values(), *logged.tags.values()))
    assert json.dumps(logged.metrics) == '{"run_seconds": 0.0}'


@pytest.mark.parametrize("is_database", [True, False])
def test_new_experiment_of_a_database_has_its_files_beside_it_and_remembers_the_folder(tmp_path, is_database):
    client = Mock(get_experiment_by_name=Mock(return_value=None), create_experiment=Mock(return_value="7"))
    uri = sqlite_uri(tmp_path / "mlflow.db") if is_database else "http://host:5000"
    assert experiment_id(client, TrackingServer(uri, uri, "tiny")) == "7"
    files, tags = ((tmp_path / "mlflow").as_uri(), {FOLDER_TAG: str(tmp_path)}) if is_database else (None, None)
    client.create_experiment.assert_called_once_with("tiny", files, tags)
