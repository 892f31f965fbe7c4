"""Examples + Transform -> Model: a Keras Sequential trained on tf.data, the same weights for the same seed."""

from components.train.recipe import Params, Recipe
from components.train.train import run

__all__ = ["Params", "Recipe", "run"]
