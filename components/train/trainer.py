"""Network + recipe -> trainer: a Keras model that takes many training steps in one call of a compiled function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.artifacts.preprocessing import Transform
from components.batches.normalized import normalize
from components.train.recipe import Recipe

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    # Over some rows, float32 scalars: the sum of the losses, and the number of rows with the right class.
    Sums = tuple[tf.Tensor, tf.Tensor]


@dataclass(frozen=True)
class TrainingSteps:
    """The steps of a training, as parts of a graph; each is Keras's own step, with the same values.

    Attributes:
        network: the classifier, which learns.
        optimizer: changes its weights.
        transform: the preprocessing, which is a part of the steps.
        recipe: has the size of a batch and the loss.
        rows: of an epoch; the last batch of it may be smaller.
    """

    network: keras.Sequential
    optimizer: keras.optimizers.Optimizer
    transform: Transform
    recipe: Recipe
    rows: int

    def learn_chunk(self, images: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor) -> Sums:
        """One step for each batch of the first `rows` rows of a chunk, see `components.batches.chunks`."""
        import tensorflow as tf

        def learn_batches(size: int, start: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor) -> tuple[tf.Tensor, ...]:
            """Steps of this size from a row on, as long as there are as many rows."""

            def add_step(start: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor) -> tuple[tf.Tensor, ...]:
                more = self._learn(_rows(images, start, size), _rows(labels, start, size))
                return start + size, loss + more[0], correct + more[1]

            left: tuple[tf.Tensor, ...] = tf.while_loop(
                lambda start, *_: start + size <= rows, add_step, [start, loss, correct], parallel_iterations=1
            )
            return left

        sums = learn_batches(self.recipe.batch_size, tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        if last_rows := self.rows % self.recipe.batch_size:
            # A loop of one step, or of none. In a condition, XLA would compile the step for each number of rows.
            sums = learn_batches(last_rows, *sums)
        _, loss, correct = sums
        return loss, correct

    def score(self, images: tf.Tensor, labels: tf.Tensor, training: bool = False) -> Sums:
        """The sums of a batch: pixels (n, h, w, c) and labels, int64 (n,)."""
        import keras
        import tensorflow as tf

        scores = self.network(normalize(self.transform, images), training=training)
        one_hot = self.recipe.loss == "categorical_crossentropy"
        expected = tf.one_hot(labels, scores.shape[-1]) if one_hot else labels
        losses = keras.losses.get(self.recipe.loss)(expected, scores)
        correct = tf.equal(tf.argmax(scores, axis=1), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(correct, tf.float32))

    def _learn(self, images: tf.Tensor, labels: tf.Tensor) -> Sums:
        import tensorflow as tf

        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            loss, correct = self.score(images, labels, training=True)
            mean_loss = loss / float(labels.shape[0])
        self.optimizer.apply(tape.gradient(mean_loss, variables), variables)
        return loss, correct


def make_trainer(
    network: keras.Sequential, optimizer: keras.optimizers.Optimizer, transform: Transform, recipe: Recipe, rows: int
) -> keras.Model:
    """The model to fit: it trains the network, whose weights it shares.

    Its training step takes a chunk, and makes a step for each batch of it, in a loop in the graph. Keras's own training
    step takes one batch, and for a small network its call takes longer than its arithmetic. Validation batches are
    those of `stream_batches`.

    Args:
        network: as in `TrainingSteps`, like the others.
        optimizer: is compiled with the model.
        transform: the preprocessing.
        recipe: how to train.
        rows: of an epoch.
    """
    import keras
    import tensorflow as tf

    steps = TrainingSteps(network, optimizer, transform, recipe, rows)

    class Trainer(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="trainer")
            self.network = network
            self.means = [keras.metrics.Mean("loss"), keras.metrics.Mean("accuracy")]
            self.built = True

        def train_step(self, chunk: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
            return self.figures(steps.learn_chunk(*chunk), rows=chunk[2])

        def test_step(self, batch: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
            return self.figures(steps.score(*batch), rows=tf.shape(batch[1])[0])

        def figures(self, sums: Sums, rows: tf.Tensor) -> dict[str, tf.Tensor]:
            """The figures of the epoch, with some more rows."""
            count = tf.cast(rows, tf.float32)
            for mean, value in zip(self.means, sums, strict=True):
                mean.update_state(value / count, sample_weight=count)
            return {mean.name: mean.result() for mean in self.means}

    trainer = Trainer()
    # On a CPU, XLA takes 2.5 times as long as TensorFlow for convolutions, and 25 times as long for the random numbers
    # of the dropout of 784 inputs.
    trainer.compile(optimizer, jit_compile=not (recipe.convolutions or recipe.dropout))
    optimizer.build(network.trainable_variables)
    return trainer


def _rows(values: tf.Tensor, start: tf.Tensor, count: int) -> tf.Tensor:
    """Some rows; unlike those of `values[start:]`, their shape is static."""
    import tensorflow as tf

    rest = values.shape[1:]
    return tf.slice(values, [start, *(0 for _ in rest)], [count, *rest])
