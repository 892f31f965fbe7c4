"""seed_margins: what the seed moves is remembered for a recipe on a data set, and for no other."""

from __future__ import annotations

from dataclasses import replace
from statistics import stdev

import pytest

from pipeline.settings.options import parse_run
from pipeline.settings.presets import MARGINS
from pipeline.settings.seed_margins import SeedResults, known_margin, remember_seeds

ACCURACIES = (0.91, 0.9, 0.92, 0.89, 0.905)
RESULTS = SeedResults("mlp-128-128", "tiny", (1, 2, 3, 4, 5), ACCURACIES, 200, 2.132, "0007")
TINY = ("--dataset", "tiny", "--model", "tiny")


def config(*flags):
    return parse_run([*TINY, *flags]).config.record()


def test_margin_of_a_recipe_is_remembered_with_its_origin(tmp_path):
    assert known_margin(tmp_path, config()) is None
    assert remember_seeds(tmp_path, config(), RESULTS)
    found = known_margin(tmp_path, config())
    assert found.value == pytest.approx(2.132 * stdev(ACCURACIES))
    assert found.origin == "2.13 times the deviation 0.0112 between 5 seeds of mlp-128-128 on tiny, comparison 0007"
    assert remember_seeds(tmp_path, config(), replace(RESULTS, comparison="0008"))
    assert known_margin(tmp_path, config()).origin.endswith("comparison 0008")


def test_fewer_than_five_seeds_are_not_remembered(tmp_path):
    assert not remember_seeds(tmp_path, config(), replace(RESULTS, seeds=(1, 2, 3, 4), accuracies=ACCURACIES[:4]))
    assert known_margin(tmp_path, config()) is None


@pytest.mark.parametrize("flags", [("--seed", "3"), ("--model", "other"), ("--evaluate.min-accuracy", "0.5")])
def test_seed_name_and_limits_do_not_make_another_recipe(tmp_path, flags):
    remember_seeds(tmp_path, config(), RESULTS)
    assert known_margin(tmp_path, config(*flags)) is not None


def test_name_of_the_preset_does_not_make_another_recipe(tmp_path):
    remember_seeds(tmp_path, config(), RESULTS)
    (tmp_path / "mine.json").write_text("{}")
    assert known_margin(tmp_path, config("--preset", str(tmp_path / "mine.json"))) is not None


@pytest.mark.parametrize(
    "flags",
    [
        ("--train.epochs", "6"),
        ("--preset", "linear"),
        ("--transform.normalization", "standardize"),
        ("--ingest.resize", "8", "8"),
        ("--dataset", "other"),
    ],
)
def test_another_recipe_or_data_set_has_no_margin(tmp_path, flags):
    remember_seeds(tmp_path, config(), RESULTS)
    assert known_margin(tmp_path, config(*flags)) is None


@pytest.mark.parametrize("content", ["", "{", '{"preset": "x"}', "[]"])
def test_damaged_file_is_no_margin(tmp_path, content):
    remember_seeds(tmp_path, config(), RESULTS)
    (file,) = (tmp_path / "seeds").iterdir()
    file.write_text(content)
    assert known_margin(tmp_path, config()) is None


def test_known_data_sets_have_a_margin_without_a_comparison(tmp_path):
    found = known_margin(tmp_path, config("--dataset", "digits"))
    assert found is known_margin(tmp_path, config("--dataset", "digits:1.0.0")) is MARGINS["digits"]
    assert found.value == pytest.approx(1.73 * 0.0063, abs=5e-5)
    assert MARGINS["mnist"].value == pytest.approx(1.73 * 0.0025, abs=5e-5)


def test_context_of_a_run_has_the_margin(tmp_path):
    request = parse_run([*TINY, "--runs", str(tmp_path)])
    remember_seeds(tmp_path, request.config.record(), RESULTS)
    assert request.config.context("0001").margin == RESULTS.margin
