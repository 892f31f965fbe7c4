"""What takes long to draw of a card: made once for each content, and remembered until `clean`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.artifact import Artifact
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.promotion import Promotion
from components.artifacts.statistics import Statistics
from pipeline.report.gallery import class_means, discordant_images, looked_at, sample_images
from pipeline.report.payloads import Payloads
from pipeline.report.plots import balance, calibration, confusion, curves
from serving.errors import BeamlineError
from serving.files import replace_text

log = logging.getLogger("beamline.report")

# In the folder of reports; hidden, so that `clean` takes it away.
MEMORY = ".parts"


@dataclass(frozen=True)
class Part:
    """One part of a card.

    Attributes:
        name: under which the card's template knows it.
        make: from artifacts, in the order of `artifacts`, to what JSON can hold.
        artifacts: the kind of each artifact, by the step that makes it.
    """

    name: str
    make: Callable[..., Any]
    artifacts: Mapping[str, type[Artifact]]


PARTS = (
    Part("curves", curves, {"train": Model}),
    Part("confusion", confusion, {"evaluate": Evaluation, "ingest": Examples}),
    Part("calibration", calibration, {"evaluate": Evaluation}),
    Part("balance", balance, {"analyze": Statistics}),
    Part("means", class_means, {"analyze": Statistics}),
    Part("samples", sample_images, {"ingest": Examples}),
    Part("looked_at", looked_at, {"ingest": Examples, "evaluate": Evaluation}),
    Part("discordant", discordant_images, {"ingest": Examples, "promote": Promotion}),
)


def drawn_parts(payloads: Payloads, reports: Path, draw: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Every part of a card.

    Args:
        payloads: the run's artifacts.
        reports: the folder of reports.
        draw: draw what is not remembered; else it is left out.

    Returns:
        The parts by name, None where its artifacts were not made; and why some could not be drawn, a sentence each.
    """
    parts: dict[str, Any] = {}
    failures = []
    for part in PARTS:
        parts[part.name] = None
        if part.artifacts.keys() <= payloads.digests.keys():
            try:
                parts[part.name] = _drawn(part, payloads, reports / MEMORY, draw)
            except Exception as error:
                log.debug("part %s", part.name, exc_info=True)
                why = str(error) if isinstance(error, BeamlineError) else f"{type(error).__name__}: {error}"
                failures.append(f"{part.name} could not be drawn: {why}")
    return parts, tuple(failures)


def _drawn(part: Part, payloads: Payloads, memory: Path, draw: bool) -> Any:
    identity = payloads.identity(part.name, part.make.__module__, part.artifacts)
    return remembered(
        memory / f"{identity}.json",
        lambda: part.make(*(payloads.load(step, kind) for step, kind in part.artifacts.items())),
        draw,
    )


def remembered(file: Path, make: Callable[[], Any], draw: bool = True) -> Any:
    """What a file holds as JSON; where there is none, or none that can be read, what is made, which it holds then."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        if not draw:
            return None
    made = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_text(file, json.dumps(made))
    return made
