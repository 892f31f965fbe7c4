"""space: recipe and values are each other's inverse, and what lies outside is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import train
from pipeline.preset_file import find_recipe
from pipeline.presets import PRESETS
from pipeline.tuning.space import distributions, recipe_of, values_of
from serving.errors import InputError

BASE = train.Params(preset="base", loss="sparse_categorical_crossentropy", seed=3, validation_fraction=0.2)


@given(
    st.builds(
        lambda **values: replace(BASE, **values),
        hidden=st.lists(st.integers(16, 512), max_size=3).map(tuple),
        hidden_activation=st.sampled_from(["relu", "elu", "tanh"]),
        dropout=st.integers(0, 50).map(lambda hundredths: hundredths / 100),
        learning_rate=st.integers(300, 10_000).map(lambda millionths: float(f"{millionths / 1e6:.3g}")),
        decay=st.sampled_from(["none", "cosine"]),
        batch_size=st.integers(32, 256),
        epochs=st.integers(3, 10),
    )
)
def test_recipe_is_made_again_from_its_values(recipe):
    values = values_of(recipe)
    drawn = distributions()
    assert values.keys() <= drawn.keys()
    assert all(drawn[name]._contains(drawn[name].to_internal_repr(value)) for name, value in values.items())
    unused = {name: 16 for name in drawn if name not in values}
    assert recipe_of({**unused, **values}, BASE) == recipe


@pytest.mark.parametrize("name", list(PRESETS))
def test_search_begins_at_every_preset(name):
    values_of(find_recipe(name))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epochs": 30}, "--train.epochs: the search begins with 30, which is not tried: give 3 to 10"),
        ({"learning_rate": 0.5}, "--train.learning-rate: the search begins with 0.5"),
        ({"hidden_activation": "sigmoid"}, "--train.hidden-activation: the search begins with sigmoid"),
        ({"hidden": (8,)}, "--train.hidden: the search begins with 8"),
        ({"hidden": (16, 16, 16, 16)}, "give up to 3 layers of 16 to 512 units"),
    ],
)
def test_what_lies_outside_is_refused(values, said):
    with pytest.raises(InputError) as refusal:
        values_of(replace(BASE, **values))
    assert said in str(refusal.value)
