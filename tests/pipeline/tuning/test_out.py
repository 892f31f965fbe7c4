"""tune: the best recipe is written over nothing that the search did not write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components import train
from pipeline.preset_file import write_preset
from pipeline.tune import require_own
from pipeline.tuning.study import Trial
from serving.errors import InputError

BASE = train.Params("base", hidden=(24,), validation_fraction=0.25, seed=3)
DONE = [Trial(index, replace(BASE, epochs=5 + index), False, 0.9, 1.0, "") for index in range(3)]


def test_new_file_and_the_searchs_own_are_written(tmp_path):
    out, best = tmp_path / "out.json", tmp_path / "best.json"
    require_own(None, best, DONE)
    require_own(out, best, DONE)
    write_preset(out, replace(BASE, epochs=99))
    write_preset(best, replace(BASE, epochs=99))
    require_own(out, best, DONE)
    # As a kill between the two leaves them.
    write_preset(best, DONE[2].recipe)
    write_preset(out, DONE[1].recipe)
    require_own(out, best, DONE)


@pytest.mark.parametrize("recipe", [DONE[0].recipe, replace(BASE, epochs=99)], ids=["the preset itself", "another"])
def test_what_is_not_from_the_search_is_left_alone(tmp_path, recipe):
    out = tmp_path / "out.json"
    write_preset(out, recipe)
    with pytest.raises(InputError, match="exists, and not from this search: move it away"):
        require_own(out, tmp_path / "best.json", DONE)
