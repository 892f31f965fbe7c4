"""Values that a study proposes <-> recipe: what the search varies, and between which ends."""

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
    # Not gelu, which cannot be exported to ONNX.
    "hidden_activation": ("relu", "elu", "tanh"),
    "decay": ("none", "cosine"),
}
# Of these, equal factors are equally likely.
LOGARITHMIC = ("units", "learning_rate", "batch_size")


def described() -> dict[str, Any]:
    """The space as a part of a study's identity."""
    return {"layers": LAYERS, "units": UNITS, **COUNTS, **RANGES, **CHOICES, "logarithmic": LOGARITHMIC}


def distributions() -> dict[str, BaseDistribution]:
    """What each value is drawn from, by name; that of a layer which a recipe does not have is drawn too, and unused."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    counts = {"layers": LAYERS, **{_units(index): UNITS for index in range(LAYERS[1])}, **COUNTS}
    logarithmic = {name: name.startswith(LOGARITHMIC) for name in (*counts, *RANGES)}
    return {
        **{name: IntDistribution(*ends, log=logarithmic[name]) for name, ends in counts.items()},
        **{name: FloatDistribution(*ends, log=logarithmic[name]) for name, ends in RANGES.items()},
        **{name: CategoricalDistribution(choices) for name, choices in CHOICES.items()},
    }


def recipe_of(values: Mapping[str, Any], base: train.Params) -> train.Params:
    """The recipe that values stand for.

    Args:
        values: by name, as `distributions` has them.
        base: what is not searched is as here.
    """
    return replace(
        base,
        hidden=tuple(values[_units(index)] for index in range(values["layers"])),
        # More digits than these make no difference, and are hard to read.
        dropout=round(values["dropout"], 2),
        learning_rate=float(f"{values['learning_rate']:.3g}"),
        **{name: values[name] for name in (*COUNTS, *CHOICES)},
    )


def values_of(recipe: train.Params) -> dict[str, Any]:
    """The values that stand for a recipe, but for those of layers that it does not have.

    Raises:
        InputError: it lies outside of what is searched.
    """
    said = asdict(recipe)
    for name, choices in CHOICES.items():
        if said[name] not in choices:
            raise InputError(f"{_begins(name)} with {said[name]}, which is not tried: give {', '.join(choices)}")
    for name, (low, high) in {**COUNTS, **RANGES}.items():
        if not low <= said[name] <= high:
            raise InputError(f"{_begins(name)} with {said[name]}, which is not tried: give {low:g} to {high:g}")
    if len(recipe.hidden) > LAYERS[1] or any(not UNITS[0] <= units <= UNITS[1] for units in recipe.hidden):
        raise InputError(
            f"{_begins('hidden')} with {' '.join(map(str, recipe.hidden))}, which is not tried: give up to {LAYERS[1]} "
            f"layers of {UNITS[0]} to {UNITS[1]} units"
        )
    units = {_units(index): units for index, units in enumerate(recipe.hidden)}
    return {"layers": len(recipe.hidden), **units, **{name: said[name] for name in (*COUNTS, *RANGES, *CHOICES)}}


def _units(index: int) -> str:
    return f"units_{index + 1}"


def _begins(name: str) -> str:
    return f"--train.{name.replace('_', '-')}: the search begins"
