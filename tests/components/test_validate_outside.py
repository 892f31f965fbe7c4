"""validate's outside: the champion and the schema are a part of the key only where they say something else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from components import validate
from components.artifacts.anomalies import Anomalies
from components.artifacts.reference import Reference
from components.validate import Params, fingerprint
from serving.errors import InputError
from serving.files import write_json
from serving.registry import Registry
from tests.serving.tiny_bundle import publish, seal


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def params(models):
    return Params(champion=models / "tiny")


@pytest.fixture
def other(made):
    """Statistics of the small data set in which one class is much more frequent, and half of the rows are gone."""
    train = made.statistics.splits["train"]
    counts = {0: 210, 1: 30, 2: 30, 3: 30}
    changed = replace(train, rows=300, label_counts=counts, pixel_counts=train.pixel_counts // 2)
    return replace(made.statistics, splits={**made.statistics.splits, "train": changed})


def test_without_a_champion_nothing_is_outside(made, params):
    assert fingerprint(made.examples, made.statistics, params) == {}
    assert fingerprint(made.examples, made.statistics, Params()) == {}


def test_champion_of_the_very_data_changes_neither_key_nor_artifact(made, params, models, tmp_path):
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before = validate.run(made.examples, made.statistics, params, tmp_path / "before")
    publish(Registry(models), made.bundle.opened())
    assert fingerprint(made.examples, made.statistics, params) == {}
    after = validate.run(made.examples, made.statistics, params, tmp_path / "after")
    assert before.digest() == after.digest()
    assert "drift" in before.checked


def test_champion_of_other_data_is_held_against_them(made, other, params, models, tmp_path):
    publish(Registry(models), made.bundle.opened())
    anomalies = validate.run(made.examples, other, params, tmp_path)
    (drift,) = [anomaly for anomaly in anomalies.found if anomaly.rule != "skew"]
    assert (drift.rule, drift.severity) == ("drift", "warn")
    assert "class 0 (bar) has 70.0 % against 25.0 %" in drift.message
    assert fingerprint(made.examples, other, params) == {"drift": str(drift)}
    assert fingerprint(made.examples, other, replace(params, off=("drift",))) == {}


def test_champion_that_the_data_did_not_drift_from_is_no_matter(made, other, params, models):
    publish(Registry(models), made.bundle.opened())
    assert fingerprint(made.examples, other, replace(params, max_drift=0.5)) == {}


def test_champion_without_a_reference_is_said_and_is_no_warning(made, params, models, tmp_path):
    publish(Registry(models), seal(tmp_path / "sealed"))
    words = "drift is not looked for: version 1 was made without a schema.json"
    assert fingerprint(made.examples, made.statistics, params) == {"skipped": words}
    anomalies = validate.run(made.examples, made.statistics, params, tmp_path)
    assert (anomalies.passed, anomalies.reasons, anomalies.skipped) == (True, (), (words,))
    assert anomalies.summary() == f"no anomalies (18 rules; {words})"
    assert Anomalies.load(tmp_path) == anomalies


def test_empty_training_split_is_held_against_nothing(made, params, models):
    publish(Registry(models), made.bundle.opened())
    empty = replace(made.statistics, splits={"test": made.statistics.splits["test"]})
    assert fingerprint(made.examples, empty, params) == {}


@pytest.fixture
def schema(made, tmp_path):
    file = tmp_path / "schema.json"
    write_json(file, Reference.of(made.examples, made.statistics.splits["train"]).to_json())
    return file


def test_schema_is_always_in_the_key_by_what_it_says(made, schema):
    params = Params(schema=schema)
    before = fingerprint(made.examples, made.statistics, params)
    assert before.keys() == {"schema"}
    said = json.loads(schema.read_text())
    schema.write_text(json.dumps(said))
    assert fingerprint(made.examples, made.statistics, params) == before
    schema.write_text(json.dumps({**said, "rows": 601}))
    assert fingerprint(made.examples, made.statistics, params) != before


def test_schema_stops_other_data_and_lets_its_own_through(made, other, schema, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "broken").mkdir()
    params = Params(schema=schema)
    kept = validate.run(made.examples, made.statistics, params, tmp_path / "kept")
    assert (kept.passed, kept.found, kept.checked) == (True, (), validate.RULES)
    broken = validate.run(made.examples, other, replace(params, off=("skew",)), tmp_path / "broken")
    assert not broken.passed
    assert [reason[-9:] for reason in broken.reasons] == [" (schema)"]


def test_schema_that_cannot_be_read_is_an_input_error(made, tmp_path):
    params = Params(schema=tmp_path / "nowhere.json")
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read"):
        fingerprint(made.examples, made.statistics, params)
    assert fingerprint(made.examples, made.statistics, replace(params, off=("schema",))) == {}
