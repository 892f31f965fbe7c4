"""`--out FILE` of a search -> a refusal, or none: only a preset file that this search wrote is replaced."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.settings.preset_file import SUFFIX, read_preset, same_recipe
from pipeline.settings.presets import PRESETS
from pipeline.tuning.study import Trial
from serving.errors import InputError
from serving.out_path import require_out_path
from serving.registry.registry import require_model_name


def require_preset_name(out: Path) -> None:
    """Refuses a path that cannot be a preset file, before the search starts. Raises: InputError."""
    require_out_path(out, lambda: _is_preset(out), expected="a preset", suffixes=(SUFFIX,))
    if out.stem in PRESETS:
        raise InputError(f"--out {out}: {out.stem} is the name of a built-in preset: give another name")
    try:
        require_model_name(out.stem, "preset name")
    except InputError as error:
        raise InputError(f"--out {out}: {error}") from None


def require_own_output(out: Path, best: Path, finished: Sequence[Trial]) -> None:
    """Refuses to replace a file that this search did not write, e.g. the preset that it starts from.

    Args:
        out: where to write the best recipe.
        best: the study's own file of the best recipe.
        finished: the finished trials; the first one is the preset itself.

    Raises:
        InputError: there is such a file.
    """
    require_out_path(out, lambda: _is_own(out, best, finished), expected="a recipe of this search")


def _is_own(out: Path, best: Path, finished: Sequence[Trial]) -> bool:
    if best.exists() and out.read_bytes() == best.read_bytes():
        return True
    # After a kill between writing the two files, one of them has the recipe of an earlier trial.
    with contextlib.suppress(InputError):
        preset = read_preset(out)
        return any(same_recipe(replace(preset, seed=trial.recipe.seed), trial.recipe) for trial in finished[1:])
    return False


def _is_preset(file: Path) -> bool:
    with contextlib.suppress(InputError):
        read_preset(file)
        return True
    return False
