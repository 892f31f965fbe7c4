"""component: a contract read from a signature, and what is no contract refused."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from components import analyze, evaluate
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.statistics import Statistics
from components.artifacts.transform import Transform
from pipeline.component import read_component


def module_with(run) -> ModuleType:
    module = ModuleType("some.component")
    if run is not None:
        module.run = run
    return module


def test_signature_is_the_whole_contract():
    component = read_component(evaluate)
    assert component.name == "evaluate"
    assert component.inputs == {"model": Model, "examples": Examples, "transform": Transform}
    assert component.output is Evaluation
    assert component.params is evaluate.Params
    assert component.beam is None


def test_beam_options_are_found_by_their_type():
    component = read_component(analyze)
    assert (component.beam, component.params, component.output) == ("beam", None, Statistics)


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
def test_what_is_no_component_is_refused(run, sentence):
    with pytest.raises(TypeError, match=sentence):
        read_component(module_with(run))
