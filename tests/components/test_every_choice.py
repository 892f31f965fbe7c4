"""train's choices: a model with each value that is offered is trained, exported, verified and promoted."""

from __future__ import annotations

from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from components import evaluate, promote, train, verify
from components.run_context import RunContext
from components.train.recipe import Recipe
from tests.components.whole_steps import evaluate_model, export_model, verify_bundle

CHOICES = {name: get_args(kind) for name, kind in get_type_hints(Recipe).items() if get_origin(kind) is Literal}
LAYERS = ({"hidden": (8,)}, {"convolutions": (3, 4), "hidden": (8,)}, {"convolutions": (3,), "hidden": ()})
RECIPES = [
    *({**layers, "hidden_activation": value} for layers in LAYERS for value in CHOICES["hidden_activation"]),
    *({name: value} for name, values in CHOICES.items() if name != "hidden_activation" for value in values),
    *({"loss": loss, "output_activation": "sigmoid"} for loss in CHOICES["loss"]),
    {"hidden": ()},
    {"hidden": (8, 6), "dropout": 0.5},
    {"hidden": (8,), "validation_fraction": 0.2},
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: " ".join(f"{k}={v}" for k, v in recipe.items()))
def test_every_value_that_is_offered_reaches_promotion(made, tmp_path, recipe):
    outs = {name: tmp_path / name for name in ("train", "evaluate", "export", "verify", "promote")}
    for out in outs.values():
        out.mkdir()
    examples, transform = made.examples, made.transform
    model = train.run(examples, transform, train.Params(**{"hidden": (8,), "epochs": 3, **recipe}), outs["train"])
    # The gate is not what is tested: these models are trained for three epochs.
    evaluation = evaluate_model(model, examples, transform, evaluate.Params(min_accuracy=0.0), outs["evaluate"])
    given = model, transform, made.statistics, examples, evaluation
    bundle = export_model(*given, "tiny", outs["export"])
    verification = verify_bundle(model, transform, bundle, examples, evaluation, verify.Params(), outs["verify"])
    assert verification.passed, verification.reasons
    context = RunContext(model="tiny", models=tmp_path / "models", run="1")
    promoted = promote.run(bundle, evaluation, verification, examples, promote.Params(), context, outs["promote"])
    assert promoted.version == 1
    # With few classes and rows, int8 may be worse than the float model; it must not fail for another reason.
    int8 = bundle.opened().manifest.precisions["int8"]
    assert "file" in int8 or "test rows that float32 gets right are wrong" in int8["left_out"]


def test_every_choice_of_the_recipe_is_tried():
    for name, values in CHOICES.items():
        assert {recipe[name] for recipe in RECIPES if name in recipe} == set(values)
    assert set(CHOICES) == {"hidden_activation", "output_activation", "loss", "optimizer", "decay"}
