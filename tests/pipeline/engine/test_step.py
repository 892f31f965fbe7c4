"""step: wiring refused when it is built, and keys that hold what the output depends on and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components import analyze, evaluate, ingest, train, transform, validate
from components.evaluate import predict
from pipeline.definition import pipeline
from pipeline.engine import step as step_module
from pipeline.engine.step import InnerStep, Step
from pipeline.settings.options import parse_run

EXAMPLES = Step(ingest, ingest.Params())
STATISTICS = Step(analyze, examples=EXAMPLES)
ANOMALIES = Step(validate, validate.Params(), examples=EXAMPLES, statistics=STATISTICS)
TRANSFORM = Step(transform, transform.Params(), statistics=STATISTICS, anomalies=ANOMALIES)
MODEL = Step(train, train.Params(), examples=EXAMPLES, transform=TRANSFORM)
PREDICTIONS = InnerStep(predict, model=MODEL, examples=EXAMPLES, transform=TRANSFORM)


def test_wrong_kind_is_refused_with_both_names():
    with pytest.raises(TypeError, match=r"^predict\.model takes Model, but ingest makes Examples$"):
        Step(predict, model=EXAMPLES, examples=EXAMPLES, transform=TRANSFORM)


def test_missing_input_is_refused():
    with pytest.raises(TypeError, match=r"predict\.transform takes Transform, but nothing is wired to it"):
        Step(predict, model=MODEL, examples=EXAMPLES)


def test_unknown_input_is_refused():
    with pytest.raises(TypeError, match=r"analyze has no input model; it takes examples"):
        Step(analyze, examples=EXAMPLES, model=MODEL)


def test_params_of_another_component_are_refused():
    with pytest.raises(TypeError, match=r"evaluate takes params of type Params"):
        Step(evaluate, None, predictions=PREDICTIONS, examples=EXAMPLES)


def test_sources_are_the_steps_behind_inner_steps():
    evaluation = Step(evaluate, evaluate.Params(), predictions=PREDICTIONS, examples=EXAMPLES)
    assert evaluation.inner == (PREDICTIONS,)
    assert evaluation.sources == {"train": MODEL, "ingest": EXAMPLES, "transform": TRANSFORM}
    assert (MODEL.inner, MODEL.sources) == ((), {"ingest": EXAMPLES, "transform": TRANSFORM})


def key(step: Step, digests: dict[str, str], outside: dict[str, str]) -> str:
    return step.key(step.parts(digests, outside))


DIGESTS = {"examples": "e", "transform": "t"}


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"epochs": 4}, {"hidden": (128,)}, {"learning_rate": 0.002}, {"intra_op_threads": 1}],
)
def test_every_parameter_changes_the_key(change):
    changed = Step(train, replace(train.Params(), **change), examples=EXAMPLES, transform=TRANSFORM)
    assert key(changed, DIGESTS, {}) != key(MODEL, DIGESTS, {})


def test_content_of_inputs_and_outside_change_the_key():
    before = key(MODEL, DIGESTS, {})
    assert key(MODEL, DIGESTS, {}) == before
    assert key(MODEL, {**DIGESTS, "examples": "other"}, {}) != before
    assert key(MODEL, DIGESTS, {"outside": "other"}) != before


def test_no_path_is_in_a_key():
    arguments = ["--data-dir", "/data", "--manual-dir", "/files", "--runs", "/runs", "--models", "/models"]
    elsewhere = pipeline(parse_run([*arguments, "--validate.schema", "/schema.json"]).config)
    for step, moved in zip(pipeline(parse_run([]).config), elsewhere, strict=True):
        assert key(step, {}, {}) == key(moved, {}, {})


def test_source_and_libraries_change_the_key(monkeypatch):
    before = key(MODEL, DIGESTS, {})
    monkeypatch.setattr(step_module, "library_versions", lambda module: {"tensorflow": "0"})
    assert key(MODEL, DIGESTS, {}) != before
    monkeypatch.undo()
    monkeypatch.setattr(step_module, "source_digests", lambda module: {module: "0"})
    assert key(MODEL, DIGESTS, {}) != before
