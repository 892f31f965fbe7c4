"""preset_file: recipes that users write, and every mistake in them in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import train
from pipeline.settings.options import parse_run
from pipeline.settings.preset_file import find_recipe, read_preset, same_recipe, write_preset
from pipeline.settings.presets import PRESETS
from serving.errors import InputError

widths = st.lists(st.integers(1, 512), max_size=3).map(tuple)


@given(
    recipe=st.builds(
        train.Params,
        preset=st.just("mine"),
        hidden=widths,
        convolutions=widths,
        dropout=st.floats(0, 0.9),
        learning_rate=st.floats(1e-6, 10),
        epochs=st.integers(1, 100),
        decay=st.sampled_from(["none", "cosine"]),
    )
)
def test_what_is_written_is_read(recipe, tmp_path_factory):
    file = tmp_path_factory.mktemp("presets") / "mine.json"
    write_preset(file, recipe)
    assert read_preset(file) == recipe
    assert {"preset", "seed"}.isdisjoint(json.loads(file.read_text()))


def test_run_takes_a_file_and_flags_change_single_values_of_it(tmp_path):
    file = tmp_path / "wide.json"
    file.write_text('{"hidden": [512], "learning_rate": 1, "epochs": 3}')
    config = parse_run(["--preset", str(file), "--train.epochs", "4", "--seed", "5"]).config
    assert config.train == train.Params(preset="wide", hidden=(512,), learning_rate=1.0, epochs=4, seed=5)


def test_recipes_are_equal_regardless_of_their_names():
    assert find_recipe("cnn") is PRESETS["cnn"]
    assert same_recipe(PRESETS["cnn"], replace(PRESETS["cnn"], preset="other"))
    assert not same_recipe(PRESETS["cnn"], replace(PRESETS["cnn"], epochs=7))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", None, "no such file"),
        ("a.json", '{"hidden": ""}', 'hidden is "": it should be a list'),
        ("a.json", "{", "is not JSON"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.json", "[1]", "is not a JSON object"),
        ("a.json", '{"hiden": [1]}', "there is no parameter 'hiden': did you mean hidden?"),
        ("a.json", '{"seed": 1}', "there is no parameter 'seed'"),
        ("a.json", '{"hidden": 128}', "hidden is 128: it should be a list"),
        ("a.json", '{"hidden": [1.5]}', "hidden[0] is 1.5: it should be an integer"),
        ("a.json", '{"epochs": true}', "epochs is true: it should be an integer"),
        ("a.json", '{"learning_rate": 1%s}' % ("0" * 400), "learning_rate is 1000"),
        ("a.json", '{"learning_rate": 1e999}', "learning_rate is Infinity: it should be a finite number"),
        ("a.json", '{"epochs": 1, "epochs": 2}', "a name occurs twice"),
        ("a.json", '{"dropout": NaN}', "dropout is NaN: it should be a finite number"),
        ("a.json", '{"dropout": "0.5"}', 'dropout is "0.5": it should be a finite number'),
        ("a.json", '{"optimizer": "adamw"}', 'optimizer is "adamw": it should be "adam"'),
        ("a.json", '{"optimizer": ["adam"]}', 'it should be "adam" or "sgd" or "rmsprop"'),
        ("a.json", '{"epochs": 0}', "--train.epochs 0: give 1 to 1,000,000"),
        ("cnn.json", "{}", "cnn is the name of a built-in preset"),
        ("a b.json", "{}", "'a b' is not a valid preset name"),
    ],
)
def test_error_names_the_file(tmp_path, name, text, message):
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError) as mistake:
        parse_run(["--preset", str(file)])
    assert message in str(mistake.value)
    assert str(mistake.value).startswith(f"--preset {file}")
    assert "\n" not in str(mistake.value)


def test_folder_is_not_a_preset(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match=r"a\.json cannot be read: Is a directory"):
        read_preset(tmp_path / "a.json")


def test_unknown_preset_error_names_the_nearest():
    with pytest.raises(InputError, match="did you mean linear\\?"):
        parse_run(["--preset", "liner"])
