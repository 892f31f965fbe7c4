"""A step of a pipeline: a component, its parameters and the steps that it takes its inputs from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from components.artifacts.artifact import Artifact
from pipeline.component import Component, read_component
from pipeline.source_code import library_versions, source_digests
from serving.files import canonical_json

# What a step's output depends on: `source`, `params`, `inputs`, `outside`, `libraries`, each with its values by name.
Parts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, init=False)
class Step:
    """A component with everything that it needs but the place to write to.

    `Step(evaluate, params, model=model, examples=examples)` wires the inputs by their names.

    Attributes:
        component: what runs.
        params: its parameters; None where it takes none.
        inputs: the step that makes each input.
    """

    component: Component
    params: Any
    inputs: Mapping[str, Step]

    def __init__(self, module: ModuleType, params: Any = None, **inputs: Step) -> None:
        """Wires a step, and refuses what does not fit.

        Raises:
            TypeError: an input is missing, unknown or of another kind, or params are of another type.
        """
        component = read_component(module)
        object.__setattr__(self, "component", component)
        object.__setattr__(self, "params", params)
        object.__setattr__(self, "inputs", inputs)
        name = component.name
        if missing := sorted(component.inputs.keys() - inputs.keys()):
            kind = component.inputs[missing[0]].__name__
            raise TypeError(
                f"{name}.{missing[0]} takes {kind}, but nothing is wired to it: Step({name}, {missing[0]}=…)"
            )
        for given, step in inputs.items():
            wanted = component.inputs.get(given)
            if wanted is None:
                raise TypeError(f"{name} has no input {given}; it takes {', '.join(component.inputs) or 'none'}")
            if step.component.output is not wanted:
                made = step.component.output.__name__
                raise TypeError(f"{name}.{given} takes {wanted.__name__}, but {step.name} makes {made}")
        if type(params) is not (component.params or type(None)):
            wanted_params = component.params.__qualname__ if component.params else "none"
            raise TypeError(f"{name} takes params of type {wanted_params}, but got {type(params).__qualname__}")

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    def fingerprint(self, inputs: Mapping[str, Artifact]) -> Mapping[str, str] | None:
        """What the outside is like that the step reads; empty where it reads none, None where it is not there yet.

        Args:
            inputs: by name, those that the hook takes.
        """
        hook = self.component.hook("fingerprint")
        return {} if hook is None else hook(**inputs, params=self.params)

    def parts(self, input_digests: Mapping[str, str], fingerprint: Mapping[str, str]) -> Parts:
        """Everything that the step's output depends on.

        Args:
            input_digests: the content digest of each input.
            fingerprint: of the outside.
        """
        return {
            "source": source_digests(self.component.module.__name__),
            "params": key_values(self.params),
            "inputs": dict(input_digests),
            "outside": dict(fingerprint),
            "libraries": library_versions(self.component.module.__name__),
        }

    def key(self, parts: Parts) -> str:
        """The identity of what the step would make: a SHA-256 over its name and everything that it depends on."""
        return hashlib.sha256(canonical_json({"component": self.name, **parts}).encode()).hexdigest()


def key_values(params: Any) -> dict[str, Any]:
    """The parameters that belong in a key: all but paths, which say where and not what."""
    if params is None:
        return {}
    kinds = get_type_hints(type(params))
    places = {name for name, kind in kinds.items() if kind is Path or Path in get_args(kind)}
    return {field.name: getattr(params, field.name) for field in fields(params) if field.name not in places}
