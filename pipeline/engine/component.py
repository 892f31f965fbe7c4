"""A component, read once from the signatures of `run` and its hooks: what it takes, what it makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from components.artifacts.artifact import Artifact
from components.beam import BeamOptions
from components.run_context import RunContext

HOOKS = ("fingerprint", "prepare", "up_to_date")


@dataclass(frozen=True)
class Function:
    """`run` or a hook, and the parameters that it takes.

    Attributes:
        call: the function itself.
        inputs: the artifact kind of each parameter that takes an artifact.
        params: the type of the parameter `params`; None if it takes none.
        context_parameter: the name of the parameter that takes the RunContext; None if it takes none.
        beam_parameter: the name of the parameter that takes BeamOptions; None if it runs no Beam job.
    """

    call: Callable[..., Any]
    inputs: Mapping[str, type[Artifact]]
    params: type[Any] | None
    context_parameter: str | None
    beam_parameter: str | None

    def __call__(self, params: Any, context: RunContext, **arguments: Any) -> Any:
        """Calls it with those of the values that it takes; `arguments` are its other parameters, by name."""
        if self.params is not None:
            arguments["params"] = params
        if self.context_parameter is not None:
            arguments[self.context_parameter] = context
        return self.call(**arguments)


@dataclass(frozen=True)
class Component:
    """A module with a function `run`, whose signature is the whole contract, and hooks for the world outside the store.

    Attributes:
        module: where it is defined.
        run: makes the output, in the folder `out`.
        output: the artifact kind that `run` returns.
        fingerprint: the state of the data outside the store, as a part of the step's key; None while they are missing.
        prepare: fetches these data.
        up_to_date: a sentence if nothing is left to do, else None.
    """

    module: ModuleType
    run: Function
    output: type[Artifact]
    fingerprint: Function | None = None
    prepare: Function | None = None
    up_to_date: Function | None = None

    @property
    def name(self) -> str:
        """The step's name: the module's own."""
        return self.module.__name__.rpartition(".")[2]


def read_component(module: ModuleType) -> Component:
    """Reads a component's contract.

    Raises: TypeError: there is no `run`, a public function is not a hook, or a signature is incomplete or invalid.
    """
    functions = {name: value for name, value in vars(module).items() if isinstance(value, FunctionType)}
    if "run" not in functions:
        raise TypeError(f"{module.__name__} has no function run: a component needs one")
    own = {name for name, function in functions.items() if function.__module__.startswith(module.__name__)}
    if unknown := sorted(name for name in own - {"run", *HOOKS} if not name.startswith("_")):
        raise TypeError(
            f"{module.__name__}.{unknown[0]} is not a hook: rename it to one of {', '.join(HOOKS)}, "
            "or give it a name that starts with an underscore"
        )
    output: Any = get_type_hints(functions["run"]).get("return")
    if not _is_kind(output):
        raise TypeError(
            f"{module.__name__}.run returns {output}, a component returns an artifact: annotate it with its kind"
        )
    run = _read_function(module, "run", functions["run"])
    hooks = {name: _read_function(module, name, functions[name]) for name in HOOKS if name in functions}
    for name, hook in hooks.items():
        if foreign := sorted(hook.inputs.items() - run.inputs.items(), key=str):
            raise TypeError(f"{module.__name__}.{name} takes {foreign[0][0]}, which run does not take")
        if hook.params not in (None, run.params):
            raise TypeError(f"{module.__name__}.{name} takes params of another type than run")
    return Component(module, run, output, **hooks)


def _read_function(module: ModuleType, name: str, function: Callable[..., Any]) -> Function:
    hints = get_type_hints(function)
    inputs: dict[str, type[Artifact]] = {}
    params = context = beam = None
    for parameter in inspect.signature(function).parameters:
        kind = hints.get(parameter)
        if kind is not None and _is_kind(kind):
            inputs[parameter] = kind
        elif kind is RunContext:
            context = parameter
        elif kind is BeamOptions and name == "run":
            beam = parameter
        elif parameter == "params":
            params = kind
        elif (name, parameter, kind) != ("run", "out", Path):
            only_run = ", BeamOptions and out: Path" if name == "run" else ""
            raise TypeError(
                f"{module.__name__}.{name} has a parameter {parameter}: {kind}; it may take artifacts, params, "
                f"RunContext{only_run}"
            )
    return Function(function, inputs, params, context, beam)


def _is_kind(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Artifact)
