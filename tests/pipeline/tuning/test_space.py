"""space: recipes <-> values, and the refusal of recipes outside the space."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import train
from pipeline.settings.preset_file import find_recipe
from pipeline.settings.presets import PRESETS
from pipeline.tuning.space import distributions, recipe_of, values_of
from serving.errors import InputError

BASE = train.Params(preset="base", loss="sparse_categorical_crossentropy", seed=3, validation_fraction=0.2)


@given(
    st.builds(
        lambda **values: replace(BASE, **values),
        hidden=st.lists(st.integers(16, 512), max_size=3).map(tuple),
        hidden_activation=st.sampled_from(["relu", "elu", "gelu", "tanh"]),
        dropout=st.integers(0, 50).map(lambda hundredths: hundredths / 100),
        learning_rate=st.integers(300, 10_000).map(lambda millionths: float(f"{millionths / 1e6:.3g}")),
        decay=st.sampled_from(["none", "cosine"]),
        batch_size=st.integers(32, 256),
        epochs=st.integers(3, 10),
    )
)
def test_values_give_the_same_recipe(recipe):
    values = values_of(recipe)
    drawn = distributions()
    assert values.keys() <= drawn.keys()
    assert all(drawn[name]._contains(drawn[name].to_internal_repr(value)) for name, value in values.items())
    unused = {name: 16 for name in drawn if name not in values}
    assert recipe_of({**unused, **values}, BASE) == recipe


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_in_the_space(name):
    values_of(find_recipe(name))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 30}, "--train.epochs 30 is outside the search space: give 3 to 10"),
        ({"learning_rate": 0.5}, "--train.learning-rate 0.5 is outside the search space"),
        ({"hidden_activation": "sigmoid"}, "--train.hidden-activation sigmoid is outside the search space"),
        ({"hidden": (8,)}, "--train.hidden 8 is outside the search space"),
        ({"hidden": (16, 16, 16, 16)}, "give up to 3 layers of 16 to 512 units"),
    ],
)
def test_refuses_a_recipe_outside_the_space(values, message):
    with pytest.raises(InputError) as refusal:
        values_of(replace(BASE, **values))
    assert message in str(refusal.value)
