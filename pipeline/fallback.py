"""MNIST where it can be had, else the data set that comes with Beamline: only where nobody asked for one by name."""

from __future__ import annotations

import logging
from pathlib import Path

from components.sources.builders import EMBEDDED
from pipeline.options import DATASET, Request, parse_run

log = logging.getLogger("beamline.pipeline")


def obtainable(request: Request) -> Request:
    """The request as it is, or on the embedded data set where the default one cannot be had.

    A data set or a model that was asked for by name, or a model that was promoted before, is never replaced:
    a network failure at night trains no other model.

    Raises:
        InputError: the manual folder is not what it should be.
    """
    config = request.config
    if request.named or ever_promoted(config.models, DATASET):
        return request
    lack = config.ingest.source.lack()
    if lack is None:
        return request
    notice = (
        f"NOTICE: {lack.tried}.\n"
        f"NOTICE: this takes {EMBEDDED} instead, 1,797 handwritten digits of 8×8 pixels that come with Beamline, "
        f"whose model is {config.models / EMBEDDED}.\n"
        f"NOTICE: to have {DATASET}, {lack.remedy}\n"
    )
    log.warning("%s", notice, extra={"event": {"event": "notice", "dataset": EMBEDDED, "instead_of": DATASET}})
    return parse_run(["--dataset", EMBEDDED, *request.arguments])


def ever_promoted(models: Path, model: str) -> bool:
    """Whether a model has, or had, a version in the registry; a damaged folder counts as one that has."""
    folder = models / model
    return folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir())
