"""MNIST if it is available, else the data set that comes with Beamline; never if the user named a data set."""

from __future__ import annotations

import logging
from pathlib import Path

from components.ingest.tfds.builders import EMBEDDED
from pipeline.settings.options import DATASET, Request, parse_run

log = logging.getLogger("beamline.pipeline")


def obtainable(request: Request) -> Request:
    """The request unchanged, or with the embedded data set if the default one is not available.

    A data set or a model that the user named, or a model that was promoted before, is never replaced: a network
    failure at night must not train another model.

    Raises: InputError: the manual folder is not valid.
    """
    config = request.config
    if request.explicitly_chosen or ever_promoted(config.models, DATASET):
        return request
    missing = config.data().missing_reason()
    if missing is None:
        return request
    notice = (
        f"NOTICE: {missing.cause}.\n"
        f"NOTICE: this run uses {EMBEDDED} instead (1,797 handwritten digits of 8×8 pixels, included in Beamline); "
        f"its model goes to {config.models / EMBEDDED}.\n"
        f"NOTICE: to have {DATASET}, {missing.remedy}\n"
    )
    log.warning("%s", notice, extra={"event": {"event": "notice", "dataset": EMBEDDED, "instead_of": DATASET}})
    return parse_run(["--dataset", EMBEDDED, *request.arguments])


def ever_promoted(models: Path, model: str) -> bool:
    """Whether a model has, or had, a version in the registry; a damaged folder counts as one with a version."""
    folder = models / model
    return folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir())
