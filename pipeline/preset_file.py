"""Preset files: a recipe as a JSON object, which `--preset FILE` takes as it takes the name of one that is built in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from components import train
from pipeline.near import nearest
from pipeline.presets import PRESETS
from serving.errors import InputError
from serving.files import replace_json
from serving.registry import require_plain_name

SUFFIX = ".json"
# The file's name is the preset's; the seed is the run's.
ELSEWHERE = ("preset", "seed")


def find_recipe(preset: str) -> train.Params:
    """The recipe of a preset.

    Args:
        preset: the name of one that is built in, or a file of one's own, which ends in .json.

    Raises:
        InputError: there is no such preset, or the file holds no recipe.
    """
    if preset in PRESETS:
        return PRESETS[preset]
    if preset.endswith(SUFFIX):
        return read_preset(Path(preset))
    near = nearest(preset, list(PRESETS))
    raise InputError(
        f"--preset {preset}: there is no such preset: {near}give one of {', '.join(PRESETS)}, or a file that ends in "
        f"{SUFFIX}"
    )


def read_preset(file: Path) -> train.Params:
    """The recipe in a file, named after it; what it does not say is as in `components.train.Params`.

    Raises:
        InputError: names the file, the value, and what it should be.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except FileNotFoundError:
        raise InputError(f"--preset {file}: there is no such file: give one, or the name of a preset") from None
    except OSError as error:
        raise InputError(f"--preset {file} cannot be read: {error.strerror}: make it readable") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"--preset {file} is no JSON ({error}): write an object of parameters and values") from None
    if not isinstance(said, dict):
        raise InputError(f'--preset {file} holds no JSON object: write one as {{"hidden": [256, 128], "epochs": 10}}')
    if file.stem in PRESETS:
        raise InputError(f"--preset {file}: {file.stem} is the name of a preset that is built in: rename the file")
    try:
        require_plain_name(file.stem)
        return train.Params(file.stem, **_values(said))
    except InputError as error:
        raise InputError(f"--preset {file}: {error}") from None


def write_preset(file: Path, recipe: train.Params) -> None:
    """Replaces a preset file by this recipe; its name and its seed are left out."""
    replace_json(file, {name: value for name, value in asdict(recipe).items() if name not in ELSEWHERE})


def same_recipe(one: train.Params, other: train.Params) -> bool:
    """Whether two recipes train the same, whatever they are called."""
    return replace(one, preset="") == replace(other, preset="")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's values by name. Raises: ValueError: a name stands there twice, and nobody knows which is meant."""
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a name stands there twice")
    return said


def _values(said: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {name: kind for name, kind in get_type_hints(train.Params).items() if name not in ELSEWHERE}
    values = {}
    for name, value in said.items():
        if name not in kinds:
            near = nearest(name, list(kinds))
            raise InputError(f"there is no parameter {name!r}: {near}give some of {', '.join(kinds)}")
        values[name] = _value(name, value, kinds[name])
    return values


def _value(name: str, value: Any, kind: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{name} is {value!r}: give one of {', '.join(get_args(kind))}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise InputError(f"{name} is {value!r}: give a list of whole numbers")
        return tuple(_value(name, item, int) for item in value)
    if kind is float and (whole or isinstance(value, float)) and abs(value) <= sys.float_info.max:
        return float(value)
    if kind is int and whole:
        return value
    raise InputError(f"{name} has {value!r}: give {'a whole number' if kind is int else 'a number'}")
