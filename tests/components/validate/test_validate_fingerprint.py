"""validate's fingerprint: the champion and the schema are in the key only if they change the result."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from components.artifacts.anomalies import Anomalies
from components.artifacts.schema import Schema
from components.run_context import RunContext
from components.validate import Params, fingerprint, validate
from serving.errors import InputError
from serving.files import write_json
from serving.registry.registry import Registry
from tests.serving.tiny_bundle import publish, seal


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def context(models):
    return RunContext(model="tiny", models=models)


@pytest.fixture
def other(made):
    """Statistics of the small data set with half of its rows, most of them in one class."""
    train = made.statistics.splits["train"]
    counts = {0: 210, 1: 30, 2: 30, 3: 30}
    halves = tuple(tuple(pixels // 2 for pixels in channel) for channel in train.pixel_counts)
    changed = replace(train, rows=300, label_counts=counts, pixel_counts=halves)
    return replace(made.statistics, splits={**made.statistics.splits, "train": changed})


def test_fingerprint_is_empty_without_a_champion(made, context):
    assert fingerprint(made.examples, made.statistics, Params(), context) == {}
    assert fingerprint(made.examples, made.statistics, Params(), RunContext()) == {}


def test_champion_of_the_same_data_changes_neither_key_nor_artifact(made, context, models, tmp_path):
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before = validate.run(made.examples, made.statistics, Params(), context, tmp_path / "before")
    publish(Registry(models), made.bundle.opened())
    assert fingerprint(made.examples, made.statistics, Params(), context) == {}
    after = validate.run(made.examples, made.statistics, Params(), context, tmp_path / "after")
    assert before.digest() == after.digest()
    assert "drift" in before.checked


def test_drift_from_the_champions_data_is_found_and_is_in_the_key(made, other, context, models, tmp_path):
    publish(Registry(models), made.bundle.opened())
    anomalies = validate.run(made.examples, other, Params(), context, tmp_path)
    (drift,) = [anomaly for anomaly in anomalies.found if anomaly.rule != "skew"]
    assert (drift.rule, drift.severity) == ("drift", "warn")
    assert "class 0 (bar) has 70.0 % against 25.0 %" in drift.message
    assert fingerprint(made.examples, other, Params(), context) == {"drift": str(drift)}
    assert fingerprint(made.examples, other, Params(off=("drift",)), context) == {}


def test_champion_without_drift_is_not_in_the_key(made, other, context, models):
    publish(Registry(models), made.bundle.opened())
    assert fingerprint(made.examples, other, Params(max_drift=0.5), context) == {}


def test_champion_without_a_schema_is_reported_and_is_not_a_warning(made, context, models, tmp_path):
    publish(Registry(models), seal(tmp_path / "sealed"))
    message = "drift is not checked: version 1 was made without a schema.json"
    assert fingerprint(made.examples, made.statistics, Params(), context) == {"skipped": message}
    anomalies = validate.run(made.examples, made.statistics, Params(), context, tmp_path)
    assert (anomalies.passed, anomalies.reasons, anomalies.skipped) == (True, (), (message,))
    assert anomalies.summary() == f"no anomalies (19 rules; {message})"
    assert Anomalies.load(tmp_path) == anomalies


def test_empty_training_split_is_not_compared(made, context, models):
    publish(Registry(models), made.bundle.opened())
    empty = replace(made.statistics, splits={"test": made.statistics.splits["test"]})
    assert fingerprint(made.examples, empty, Params(), context) == {}


@pytest.fixture
def schema(made, tmp_path):
    file = tmp_path / "schema.json"
    write_json(file, Schema.of(made.examples, made.statistics.splits["train"]).to_json())
    return file


def test_schema_is_in_the_key_by_its_content(made, schema):
    context = RunContext(schema=schema)
    before = fingerprint(made.examples, made.statistics, Params(), context)
    assert before.keys() == {"schema"}
    content = json.loads(schema.read_text())
    schema.write_text(json.dumps(content))
    assert fingerprint(made.examples, made.statistics, Params(), context) == before
    schema.write_text(json.dumps({**content, "rows": 601}))
    assert fingerprint(made.examples, made.statistics, Params(), context) != before


def test_schema_refuses_other_data_and_passes_its_own(made, other, schema, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "broken").mkdir()
    context = RunContext(schema=schema)
    kept = validate.run(made.examples, made.statistics, Params(), context, tmp_path / "kept")
    assert (kept.passed, kept.found, kept.checked) == (True, (), validate.RULES)
    broken = validate.run(made.examples, other, Params(off=("skew",)), context, tmp_path / "broken")
    assert not broken.passed
    assert [reason[-9:] for reason in broken.reasons] == [" (schema)"]


def test_schema_that_cannot_be_read_is_an_input_error(made, tmp_path):
    context = RunContext(schema=tmp_path / "nowhere.json")
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read"):
        fingerprint(made.examples, made.statistics, Params(), context)
    assert fingerprint(made.examples, made.statistics, Params(off=("schema",)), context) == {}
