"""Examples + Transform -> Model: a Keras Sequential trained on tf.data, the same weights for the same seed."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.train.recipe import Params

log = logging.getLogger("beamline.train")


def run(examples: Examples, transform: Transform, params: Params, out: Path) -> Model:
    """Trains; continues from the last checkpoint if an earlier attempt in this `out` was interrupted.

    Raises:
        BeamlineError: as `fit`.
    """
    from components.train.fitting import fit, split_rows
    from components.train.hold_out import describe_missing
    from components.train.network import layers_table

    checkpoints = out / "checkpoints"
    resumed = checkpoints.exists()
    if (missing := describe_missing(split_rows(examples, params), examples.class_names)) is not None:
        log.warning("%s", missing)
    model, history = fit(examples, transform, params, checkpoints)
    trained = (
        Model(
            path=out,
            recipe={**asdict(params), "shape": examples.image_shape, "classes": len(examples.class_names)},
            history=tuple(history),
            parameters=model.count_params(),
        )
        .write_keras_model(model, layers_table(model))
        .save()
    )
    return trained.write_resumed() if resumed else trained
