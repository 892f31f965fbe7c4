"""options: the command line as one frozen value, and its mistakes in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components import train, validate
from pipeline.settings.options import Verbosity, parse_run
from pipeline.settings.presets import MIN_ACCURACY, PRESETS
from serving.errors import InputError


def test_defaults_are_the_reference_recipe_on_mnist():
    request = parse_run([])
    config = request.config
    assert (config.ingest.dataset, config.model, request.explicitly_chosen) == ("mnist", "mnist", False)
    assert (request.verbosity, request.explain, request.force) == (Verbosity(), False, False)
    assert config.train == train.Params()
    assert config.evaluate.min_accuracy == MIN_ACCURACY["mnist"] == 0.96
    assert (config.runs, config.models) == (Path("runs"), Path("models"))


@pytest.mark.parametrize("name", list(PRESETS))
def test_preset_is_the_recipe(name):
    given = parse_run(["--preset", name, "--seed", "11"]).config.train
    assert given == replace(PRESETS[name], seed=11)


def test_flag_changes_one_value_of_the_preset():
    config = parse_run(["--preset=mlp-256-128", "--train.epochs", "3", "--train.hidden", "64", "32"]).config
    assert config.train == replace(PRESETS["mlp-256-128"], hidden=(64, 32), epochs=3)


def test_data_set_without_a_limit_of_its_own_has_none():
    assert parse_run(["--dataset", "kmnist"]).config.evaluate.min_accuracy is None
    assert parse_run(["--dataset", "kmnist", "--evaluate.min-accuracy", "0.8"]).config.evaluate.min_accuracy == 0.8
    assert parse_run(["--dataset", "mnist:3.0.1"]).config.evaluate.min_accuracy == 0.96


def test_model_is_named_after_the_data_set_by_default():
    assert parse_run(["--dataset", "emnist/letters"]).config.model == "emnist-letters"
    assert parse_run(["--model", "digits_2"]).config.model == "digits_2"


def test_everything_after_two_dashes_goes_to_beam():
    config = parse_run(["--seed", "3", "--", "--runner=FlinkRunner", "--seed=9"]).config
    assert config.beam.arguments == ("--runner=FlinkRunner", "--seed=9")
    assert config.train.seed == 3


def test_rules_are_set_by_name_and_the_champion_is_the_models_own():
    rules = ["--validate.warn", "leaks", "skew", "--validate.off", "constant", "--validate.error", "drift"]
    config = parse_run(["--model", "trial", "--models", "kept", *rules, "--validate.schema", "frozen.json"]).config
    assert config.validate == validate.Params(
        error=("drift",),
        warn=("leaks", "skew"),
        off=("constant",),
    )
    context = config.context("0001")
    assert (context.schema, context.model_folder, context.run) == (Path("frozen.json"), Path("kept/trial"), "0001")
    assert parse_run([]).config.context().model_folder == Path("models/mnist")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--validate.off", "shape"], "--validate.off shape: the severity of this rule cannot be changed"),
        (["--validate.off", "leeks"], "--validate.off"),
        (["--validate.of", "leaks"], "did you mean --validate.off?"),
        (["--validate.warn", "skew", "--validate.error", "skew"], "contradict each other: give one of them"),
        (["--validate.max-skew", "2"], "--validate.max-skew 2.0: give 0 to 1"),
        (["--validate.champion", "x"], "--validate.champion: there is no such option"),
        (["--preset", "mlp-128-129"], "did you mean mlp-128-128?"),
        (["--preset"], "--preset: expected one argument"),
        (["--train.epoch", "3"], "did you mean --train.epochs?"),
        (["--train.epochs", "three"], "--train.epochs"),
        (["--train.epochs", "0"], "--train.epochs 0: give 1 to 1,000,000"),
        (["--train.hidden", "0"], "--train.hidden 0: give 1 to 65,536"),
        (["--train.learning-rate", "-1"], "--train.learning-rate"),
        (["--train.validation-fraction", "1"], "--train.validation-fraction 1.0: give 0 or more, below 1"),
        (["--train.loss", "mse"], "categorical_crossentropy"),
        (["--transform.normalization", "units"], "'unit', 'standardize'"),
        (["--evaluate.min-accuracy", "97"], "give 0 to 1"),
        (["--ingest.block-rows", "0"], "--ingest.block-rows 0: give 1 to"),
        (["--verify.fresh-rows", "0"], "--verify.fresh-rows 0: give 1 to"),
        (["--verify.max-memory-mb", "nan"], "--verify.max-memory-mb nan: give above 0, at most"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "4294967296"], "--seed 4294967296: give 0 to 4,294,967,295"),
        (["--model", ""], "is not a valid model name"),
        (["--model", "../elsewhere"], "is not a valid model name"),
        (["mnist"], "there is no such option"),
    ],
)
def test_mistake_is_one_sentence(arguments, sentence):
    with pytest.raises(InputError) as error:
        parse_run(arguments)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_help_names_every_parameter(capsys):
    with pytest.raises(SystemExit) as stop:
        parse_run(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for flag in (
        "--train.epochs",
        "--evaluate.min-accuracy",
        "--transform.normalization",
        "--ingest.train-split",
        "--validate.max-leaked-fraction",
    ):
        assert flag in text
