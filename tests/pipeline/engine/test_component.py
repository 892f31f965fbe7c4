"""component: the contract is read from signatures; an invalid one is refused."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from components import analyze, evaluate, ingest, promote
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation, Predictions
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.statistics import Statistics
from components.evaluate import predict
from components.run_context import RunContext
from pipeline.engine.component import read_component


def module_with(run) -> ModuleType:
    module = ModuleType("some.component")
    if run is not None:
        module.run = run
    return module


def test_signature_is_the_whole_contract():
    component = read_component(predict)
    assert component.name == "predict"
    assert component.run.inputs == {"model": Model, "examples": Examples, "transform": Transform}
    assert component.output is Predictions
    assert component.run.params is None
    assert read_component(evaluate).run.params is evaluate.Params
    assert component.run.beam_parameter is None


def test_beam_options_are_found_by_their_type():
    component = read_component(analyze)
    assert (component.run.beam_parameter, component.run.params, component.output) == ("beam", None, Statistics)


def unknown_parameter(model: Model, color: int, out: Path) -> Evaluation: ...


def no_artifact(model: Model, out: Path) -> int: ...


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (None, "no function run"),
        (unknown_parameter, "has a parameter color"),
        (no_artifact, "returns <class 'int'>, a component returns an artifact"),
    ],
)
def test_invalid_component_is_refused(run, sentence):
    with pytest.raises(TypeError, match=sentence):
        read_component(module_with(run))


def with_hook(name: str, hook) -> ModuleType:
    def run(examples: Examples, params: int, context: RunContext, out: Path) -> Evaluation: ...

    module = module_with(run)
    run.__annotations__ = {
        "examples": Examples,
        "params": int,
        "context": RunContext,
        "out": Path,
        "return": Evaluation,
    }
    hook.__module__ = module.__name__
    setattr(module, name, hook)
    return module


def test_hooks_are_read_with_their_parameters():
    component = read_component(promote)
    assert component.run.context_parameter == "context"
    assert component.up_to_date is not None
    assert (component.up_to_date.inputs, component.up_to_date.params) == ({"bundle": Bundle}, None)
    assert (component.prepare, component.fingerprint) == (None, None)
    assert read_component(ingest).prepare is not None


def foreign_input(model: Model, context: RunContext) -> str: ...


def other_params(params: str) -> str: ...


def with_out(examples: Examples, out: Path) -> str: ...


def valid(examples: Examples, params: int, context: RunContext) -> str: ...


@pytest.mark.parametrize(
    ("name", "hook", "sentence"),
    [
        ("finger_print", valid, "finger_print is not a hook: rename it to one of fingerprint, prepare, up_to_date"),
        ("fingerprint", foreign_input, "fingerprint takes model, which run does not take"),
        ("prepare", other_params, "prepare takes params of another type than run"),
        ("up_to_date", with_out, "up_to_date has a parameter out"),
    ],
)
def test_invalid_hook_is_refused(name, hook, sentence):
    with pytest.raises(TypeError, match=sentence):
        read_component(with_hook(name, hook))


def test_valid_hook_and_private_functions_are_accepted():
    module = with_hook("fingerprint", valid)
    module._helper = valid
    assert read_component(module).fingerprint is not None
