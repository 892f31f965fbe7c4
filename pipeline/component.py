"""A component, read from the signature of its `run`: what it takes, what it makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from components.artifacts.artifact import Artifact
from components.beam import BeamOptions


@dataclass(frozen=True)
class Component:
    """A module with a function `run`, whose signature is the whole contract.

    Attributes:
        module: where it is defined.
        inputs: the artifact kind of each parameter that takes an artifact.
        output: the artifact kind that `run` returns.
        params: the type of the parameter `params`; None where it takes none.
        beam: the name of the parameter that takes BeamOptions; None where it runs no Beam job.
    """

    module: ModuleType
    inputs: Mapping[str, type[Artifact]]
    output: type[Artifact]
    params: type[Any] | None
    beam: str | None

    @property
    def name(self) -> str:
        """The step's name: the module's own."""
        return self.module.__name__.rpartition(".")[2]

    def hook(self, name: str) -> Callable[..., Any] | None:
        """A function that the module may have besides `run`, because something outside of the store matters to it.

        `fingerprint(inputs…, params)` says what that outside is like, as a part of the step's key, or None while it is
        not there; `prepare(params)` brings it there; `settled(inputs…, params)` says that nothing is left to do.
        """
        return vars(self.module).get(name)

    def taken(self, hook: str) -> tuple[str, ...]:
        """The names of the inputs that a hook takes; none where there is no such hook."""
        function = self.hook(hook)
        return () if function is None else tuple(inspect.signature(function).parameters.keys() & self.inputs.keys())


@cache
def read_component(module: ModuleType) -> Component:
    """Reads a component's contract.

    Raises:
        TypeError: no `run`, or a signature that says too little or too much, with the place.
    """
    run = vars(module).get("run")
    if run is None:
        raise TypeError(f"{module.__name__} has no function run, so it is no component")
    hints = get_type_hints(run)
    output = hints.pop("return", None)
    where = f"{module.__name__}.run"
    if not _is_kind(output):
        raise TypeError(f"{where} returns {output}, a component returns an artifact: annotate it with its kind")
    inputs: dict[str, type[Artifact]] = {}
    params = beam = None
    for name in inspect.signature(run).parameters:
        kind = hints.get(name)
        if kind is not None and _is_kind(kind):
            inputs[name] = kind
        elif kind is BeamOptions:
            beam = name
        elif name == "params":
            params = kind
        elif (name, kind) != ("out", Path):
            raise TypeError(
                f"{where} has a parameter {name}: {kind}; it may take artifacts, params, BeamOptions and out: Path"
            )
    return Component(module, inputs, output, params, beam)


def _is_kind(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Artifact)
