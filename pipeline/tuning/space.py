"""Values that a study proposes <-> recipe: which parameters the search varies, and their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from components import train
from serving.errors import InputError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

# Both ends included.
LAYERS, UNITS = (0, 3), (16, 512)
COUNTS: Mapping[str, tuple[int, int]] = {"batch_size": (32, 256), "epochs": (3, 10)}
RANGES: Mapping[str, tuple[float, float]] = {"dropout": (0.0, 0.5), "learning_rate": (0.0003, 0.01)}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "hidden_activation": ("relu", "elu", "gelu", "tanh"),
    "decay": ("none", "cosine"),
}
# Sampled on a logarithmic scale.
LOGARITHMIC = ("units", "learning_rate", "batch_size")


def describe_space() -> dict[str, Any]:
    """The space as a part of a study's identity."""
    return {"layers": LAYERS, "units": UNITS, **COUNTS, **RANGES, **CHOICES, "logarithmic": LOGARITHMIC}


def distributions() -> dict[str, BaseDistribution]:
    """The distribution of each value, by name; the units of a layer are drawn even if the recipe has fewer layers."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    counts = {"layers": LAYERS, **{_units(index): UNITS for index in range(LAYERS[1])}, **COUNTS}
    logarithmic = {name: name.startswith(LOGARITHMIC) for name in (*counts, *RANGES)}
    return {
        **{name: IntDistribution(*ends, log=logarithmic[name]) for name, ends in counts.items()},
        **{name: FloatDistribution(*ends, log=logarithmic[name]) for name, ends in RANGES.items()},
        **{name: CategoricalDistribution(choices) for name, choices in CHOICES.items()},
    }


def recipe_of(values: Mapping[str, Any], baseline: train.Params) -> train.Params:
    """The recipe with these values, one for each of `distributions`, and the other parameters of the baseline."""
    return replace(
        baseline,
        hidden=tuple(values[_units(index)] for index in range(values["layers"])),
        # More digits make no difference to the training, and are hard to read.
        dropout=round(values["dropout"], 2),
        learning_rate=float(f"{values['learning_rate']:.3g}"),
        **{name: values[name] for name in (*COUNTS, *CHOICES)},
    )


def values_of(recipe: train.Params) -> dict[str, Any]:
    """The values of a recipe, without the units of layers that it does not have.

    Raises:
        InputError: the recipe is outside the space.
    """
    parameters = asdict(recipe)
    for name, choices in CHOICES.items():
        if parameters[name] not in choices:
            raise InputError(f"{_outside(name, parameters[name])}: give {', '.join(choices)}")
    for name, (low, high) in {**COUNTS, **RANGES}.items():
        if not low <= parameters[name] <= high:
            raise InputError(f"{_outside(name, parameters[name])}: give {low:g} to {high:g}")
    if len(recipe.hidden) > LAYERS[1] or any(not UNITS[0] <= units <= UNITS[1] for units in recipe.hidden):
        hidden = " ".join(map(str, recipe.hidden))
        raise InputError(
            f"{_outside('hidden', hidden)}: give up to {LAYERS[1]} layers of {UNITS[0]} to {UNITS[1]} units"
        )
    units = {_units(index): units for index, units in enumerate(recipe.hidden)}
    return {"layers": len(recipe.hidden), **units, **{name: parameters[name] for name in (*COUNTS, *RANGES, *CHOICES)}}


def _units(index: int) -> str:
    return f"units_{index + 1}"


def _outside(name: str, value: object) -> str:
    return f"--train.{name.replace('_', '-')} {value} is outside the search space"
