"""A step of a pipeline: a component, its parameters and the steps that it takes its inputs from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pipeline.engine.component import Component, read_component
from pipeline.engine.process_settings import settings_in_key
from pipeline.engine.source_code import library_versions, source_digests
from serving.codec import to_json
from serving.files import canonical_json

# What a step's output depends on: `source`, `params`, `inputs`, `outside`, `libraries` and `environment`, each with its
# values by name.
Parts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, init=False)
class Step:
    """A component with its parameters and inputs.

    `Step(evaluate, params, model=model, examples=examples)` wires the inputs by their names.

    Attributes:
        component: the component.
        params: its parameters; None if it takes none.
        inputs: the step that makes each input.
    """

    component: Component
    params: Any
    inputs: Mapping[str, Step]

    def __init__(self, module: ModuleType, params: Any = None, **inputs: Step) -> None:
        """Wires a step. Raises: TypeError: inputs or params are missing, unknown or of another type."""
        component = read_component(module)
        object.__setattr__(self, "component", component)
        object.__setattr__(self, "params", params)
        object.__setattr__(self, "inputs", inputs)
        name = component.name
        if missing := sorted(component.run.inputs.keys() - inputs.keys()):
            kind = component.run.inputs[missing[0]].__name__
            raise TypeError(
                f"{name}.{missing[0]} takes {kind}, but nothing is wired to it: Step({name}, {missing[0]}=…)"
            )
        for given, step in inputs.items():
            wanted = component.run.inputs.get(given)
            if wanted is None:
                raise TypeError(f"{name} has no input {given}; it takes {', '.join(component.run.inputs) or 'none'}")
            if step.component.output is not wanted:
                made = step.component.output.__name__
                raise TypeError(f"{name}.{given} takes {wanted.__name__}, but {step.name} makes {made}")
        if type(params) is not (component.run.params or type(None)):
            wanted_params = component.run.params.__qualname__ if component.run.params else "none"
            raise TypeError(f"{name} takes params of type {wanted_params}, but got {type(params).__qualname__}")

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    @property
    def inner(self) -> tuple[InnerStep, ...]:
        """The inner steps that it takes inputs from."""
        return tuple(source for source in self.inputs.values() if isinstance(source, InnerStep))

    @property
    def sources(self) -> dict[str, Step]:
        """The other steps that it takes inputs from, by name, also those of its inner steps."""
        found: dict[str, Step] = {}
        for source in self.inputs.values():
            found |= source.sources if isinstance(source, InnerStep) else {source.name: source}
        return found

    def parts(self, input_digests: Mapping[str, str], fingerprint: Mapping[str, str]) -> Parts:
        """Everything that the step's output depends on.

        Args:
            input_digests: the content digest of each input, by the input's name.
            fingerprint: digests of the data outside the store, by name.
        """
        libraries = library_versions(self.component.module.__name__)
        return {
            "source": source_digests(self.component.module.__name__),
            "params": {} if self.params is None else to_json(self.params),
            "inputs": dict(input_digests),
            "outside": dict(fingerprint),
            "libraries": libraries,
            "environment": settings_in_key(libraries),
        }

    def key(self, key_parts: Parts) -> str:
        """The identity of the step's output: SHA-256 over its name and everything that it depends on."""
        return hashlib.sha256(canonical_json({"component": self.name, **key_parts}).encode()).hexdigest()


class InnerStep(Step):
    """A part of the step that takes its output; it has an artifact, but no outcome of its own.

    A step is divided so that a change of its parameters repeats only what depends on them.
    """
