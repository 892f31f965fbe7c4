"""Recipe: the parameters of a training that a preset or a user sets."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from serving.arguments.ranges import Range, require_ranges

# A pool of threads of TensorFlow takes 0.1 MB for each, at once.
MAX_THREADS = 1024
Seed = Annotated[int, Range(0, (1 << 32) - 1)]
Units = Annotated[tuple[int, ...], Range(1, 65_536)]


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

    convolutions: Units = ()
    hidden: Units = (128, 128)
    hidden_activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu"] = "relu"
    dropout: Annotated[float, Range(0, 1, below=True)] = 0.0
    output_activation: Literal["softmax", "sigmoid"] = "softmax"
    loss: Literal["categorical_crossentropy", "sparse_categorical_crossentropy"] = "categorical_crossentropy"
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: Annotated[float, Range(0, 1e38, above=True)] = 0.001
    decay: Literal["none", "cosine"] = "none"
    epochs: Annotated[int, Range(1, 1_000_000)] = 5
    batch_size: Annotated[int, Range(1, 65_536)] = 40
    validation_fraction: Annotated[float, Range(0, 1, below=True)] = 0.0
    intra_op_threads: Annotated[int, Range(1, MAX_THREADS)] = 2

    def __post_init__(self) -> None:
        """Refuses values that cannot be trained with. Raises: InputError."""
        require_ranges(self, Recipe, "--train.")


@dataclass(frozen=True)
class Params(Recipe):
    """A recipe with its name and its seed.

    Attributes:
        preset: the recipe's name.
        seed: random seed of the initial weights and of the order of the rows.
    """

    preset: str = "mlp-128-128"
    seed: Seed = 7

    def __post_init__(self) -> None:
        """Refuses values that cannot be trained with. Raises: InputError."""
        super().__post_init__()
        require_ranges(self, Params, "--")

    @property
    def recipe(self) -> Recipe:
        """The recipe alone."""
        return Recipe(**{field.name: getattr(self, field.name) for field in fields(Recipe)})
