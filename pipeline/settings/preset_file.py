"""Preset files: a recipe as a JSON object; `--preset` takes such a file, or the name of a built-in preset."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

from components import train
from pipeline.settings.presets import PRESETS
from serving.codec import FormatError, from_json, to_json
from serving.errors import InputError
from serving.files import replace_json
from serving.registry.registry import require_model_name
from serving.suggestions import did_you_mean

SUFFIX = ".json"


def find_recipe(preset: str) -> train.Params:
    """The recipe of a built-in preset, by its name, or of a file that ends in .json.

    Raises: InputError: there is no such preset, or the file is not a recipe.
    """
    if preset in PRESETS:
        return PRESETS[preset]
    if preset.endswith(SUFFIX):
        return read_preset(Path(preset))
    near = did_you_mean(preset, list(PRESETS))
    raise InputError(
        f"--preset {preset}: there is no such preset: {near}give one of {', '.join(PRESETS)}, or a file that ends in "
        f"{SUFFIX}"
    )


def read_preset(file: Path) -> train.Params:
    """The recipe in a file, named after the file; a missing parameter has the default of `components.train.Recipe`.

    Raises: InputError: names the file, the value, and what it should be.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_without_duplicates)
    except FileNotFoundError:
        raise InputError(f"--preset {file}: there is no such file: give one, or the name of a preset") from None
    except OSError as error:
        raise InputError(f"--preset {file} cannot be read: {error.strerror}: make it readable") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"--preset {file} is not JSON ({error}): write an object of parameters and values") from None
    if not isinstance(values, dict):
        example = '{"hidden": [256, 128], "epochs": 10}'
        raise InputError(f"--preset {file} is not a JSON object: write one, e.g. {example}")
    if file.stem in PRESETS:
        raise InputError(f"--preset {file}: {file.stem} is the name of a built-in preset: rename the file")
    kinds = get_type_hints(train.Recipe)
    for name in values.keys() - kinds.keys():
        near = did_you_mean(name, kinds)
        raise InputError(
            f"--preset {file}: there is no parameter {name!r}: {near}the parameters are {', '.join(kinds)}"
        )
    # A whole number for a fraction is the same recipe, and must have the same key.
    values = {name: _as_float(value) if kinds[name] is float else value for name, value in values.items()}
    try:
        require_model_name(file.stem, "preset name")
        return train.Params(preset=file.stem, **vars(from_json(train.Recipe, values, f"--preset {file}")))
    except FormatError as error:
        raise InputError(str(error)) from None
    except InputError as error:
        raise InputError(f"--preset {file}: {error}") from None


def _as_float(value: Any) -> Any:
    return float(value) if type(value) is int and abs(value) <= sys.float_info.max else value


def write_preset(file: Path, recipe: train.Params) -> None:
    """Replaces a preset file with this recipe, without its name and its seed."""
    replace_json(file, to_json(recipe.recipe))


def same_recipe(one: train.Params, other: train.Params) -> bool:
    """Whether two recipes train the same model; their names do not matter."""
    return replace(one, preset="") == replace(other, preset="")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's values by name. Raises: ValueError: a name occurs twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name occurs twice")
    return values
