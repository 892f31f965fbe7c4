"""Recipe: the parameters of a training that a preset or a user sets."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from serving.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; `pipeline.settings.presets` has named recipes.

    Attributes:
        convolutions: filters of each convolution, with max-pooling after each.
        hidden: units of each hidden dense layer.
        hidden_activation: activation of convolutions and hidden layers.
        dropout: fraction of the last layer's inputs that each training step drops.
        output_activation: the exported model divides `sigmoid` scores by their sum.
        loss: `sparse_` takes integer labels, the other one-hot labels; the gradients are the same.
        optimizer: Keras's name of it.
        learning_rate: learning rate of the optimizer.
        decay: `cosine` reduces the learning rate to 0 over all epochs, along half a cosine.
        epochs: passes over the training rows.
        batch_size: rows of a training step.
        validation_fraction: the fraction of the training rows that are scored after each epoch and not trained on; the
            seed chooses them, from each class in proportion. A set's own validation rows take their place.
        intra_op_threads: threads of one TensorFlow operation; in the recipe, because the number changes the last bits
            of the weights.
    """

    convolutions: tuple[int, ...] = ()
    hidden: tuple[int, ...] = (128, 128)
    hidden_activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu"] = "relu"
    dropout: float = 0.0
    output_activation: Literal["softmax", "sigmoid"] = "softmax"
    loss: Literal["categorical_crossentropy", "sparse_categorical_crossentropy"] = "categorical_crossentropy"
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = 0.001
    decay: Literal["none", "cosine"] = "none"
    epochs: int = 5
    batch_size: int = 40
    validation_fraction: float = 0.0
    intra_op_threads: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot be trained with. Raises: InputError."""
        for name in ("epochs", "batch_size", "intra_op_threads"):
            if getattr(self, name) < 1:
                raise InputError(f"--train.{name.replace('_', '-')} {getattr(self, name)}: give 1 or more")
        for name in ("validation_fraction", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"--train.{name.replace('_', '-')} {getattr(self, name)}: give 0 or more, below 1")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"--train.learning-rate {self.learning_rate}: give a number above 0")
        if any(width < 1 for width in (*self.convolutions, *self.hidden)):
            raise InputError("--train.hidden and --train.convolutions: give 1 or more for each layer")


@dataclass(frozen=True)
class Params(Recipe):
    """A recipe with its name and its seed.

    Attributes:
        preset: the recipe's name.
        seed: random seed of the initial weights and of the order of the rows.
    """

    preset: str = "mlp-128-128"
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuses values that cannot be trained with. Raises: InputError."""
        super().__post_init__()
        if not 0 <= self.seed < 1 << 32:
            raise InputError(f"--seed {self.seed}: give 0 to {(1 << 32) - 1}")

    @property
    def recipe(self) -> Recipe:
        """The recipe alone."""
        return Recipe(**{field.name: getattr(self, field.name) for field in fields(Recipe)})
