"""train: settings of Keras that would change the model are refused."""

from __future__ import annotations

import pytest

from components.train import train
from serving.errors import BeamlineError
from tests.components.train.models import RECIPE


@pytest.mark.parametrize(
    ("name", "value", "usual", "message"),
    [
        ("set_floatx", "float64", "float32", "the floatx float64, and models are trained with float32: remove"),
        ("set_image_data_format", "channels_first", "channels_last", "image data format channels_first"),
        ("set_epsilon", 0.001, 1e-7, "epsilon 0.001"),
        ("set_max_epochs", 1, None, "largest number of epochs 1"),
        ("set_max_steps_per_epoch", 1, None, "largest number of steps 1"),
        ("set_dtype_policy", "mixed_bfloat16", "float32", "dtype policy mixed_bfloat16"),
    ],
)
def test_other_settings_of_keras_are_refused(made, tmp_path, name, value, usual, message):
    import keras

    getattr(keras.config, name)(value)
    try:
        with pytest.raises(BeamlineError, match=message):
            train.run(made.examples, made.transform, RECIPE, tmp_path)
    finally:
        getattr(keras.config, name)(usual)
        # Keras takes it from the number type when it is first asked for.
        keras.config.set_dtype_policy("float32")
    assert list(tmp_path.iterdir()) == []
