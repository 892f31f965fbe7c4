"""output_preset: a search replaces only a preset file that it wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components import train
from pipeline.settings.preset_file import write_preset
from pipeline.tuning.output_preset import require_own_output
from pipeline.tuning.study import Trial
from serving.errors import InputError

BASE = train.Params(preset="base", hidden=(24,), validation_fraction=0.25, seed=3)
TRIALS = [Trial(index, replace(BASE, epochs=5 + index), False, 0.9, 1.0, "") for index in range(3)]


def test_accepts_a_new_file_and_one_that_the_search_wrote(tmp_path):
    out, best = tmp_path / "out.json", tmp_path / "best.json"
    require_own_output(out, best, TRIALS)
    write_preset(out, replace(BASE, epochs=99))
    write_preset(best, replace(BASE, epochs=99))
    require_own_output(out, best, TRIALS)
    # As after a kill between writing the two files.
    write_preset(best, TRIALS[2].recipe)
    write_preset(out, TRIALS[1].recipe)
    require_own_output(out, best, TRIALS)


@pytest.mark.parametrize("recipe", [TRIALS[0].recipe, replace(BASE, epochs=99)], ids=["the preset itself", "another"])
def test_refuses_a_file_that_the_search_did_not_write(tmp_path, recipe):
    out = tmp_path / "out.json"
    write_preset(out, recipe)
    with pytest.raises(InputError, match="exists and is not a recipe of this search: move it"):
        require_own_output(out, tmp_path / "best.json", TRIALS)
