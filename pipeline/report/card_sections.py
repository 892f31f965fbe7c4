"""A run's artifacts -> the drawn parts of its card: SVG figures and lists of images, from the cache or drawn now."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from components.artifacts.artifact import Artifact
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.promotion import Promotion
from components.artifacts.statistics import Statistics
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.report.attempt import attempt
from pipeline.report.drawings.drawing_cache import Drawing, DrawingCache
from pipeline.report.figures.figure_list import CARD_PLOTS


def render_json(name: str, make: Callable[[], Any]) -> bytes:
    """Values for the template as a file."""
    return json.dumps(make()).encode()


def _images(name: str, function: str, **artifacts: type[Artifact]) -> Drawing:
    return Drawing(f"{name}.json", f"pipeline.report.card_images:{function}", render_json, artifacts)


SECTIONS = (
    *CARD_PLOTS,
    _images("class-means", "class_means", analyze=Statistics),
    _images("sample-images", "sample_images", ingest=Examples),
    _images("selected-images", "selected_images", ingest=Examples, evaluate=Evaluation),
    _images("discordant-images", "discordant_images", ingest=Examples, promote=Promotion),
)


def card_sections(run: RunArtifacts, draw: bool, report: Callable[[str], object]) -> dict[str, Any]:
    """The figures and images of a card: SVG text or JSON values by name, with `_` for `-`.

    A section without its artifacts is None, and so is one that could not be drawn.

    Args:
        run: the run's artifacts.
        draw: draw the sections that are not in the cache; else they are None.
        report: takes a sentence for each section that could not be drawn.
    """
    cache = DrawingCache.of(run.store.root)
    sections = {}
    for section in SECTIONS:
        name, make = section.name.partition(".")[0], partial(_section, section, run, cache, draw)
        sections[name.replace("-", "_")] = attempt(f"{name} could not be drawn", make, report)
    return sections


def _section(section: Drawing, run: RunArtifacts, cache: DrawingCache, draw: bool) -> Any:
    if not section.possible(run):
        return None
    key = section.identity(run)
    file = cache.get(key, partial(section.draw, run)) if draw else cache.find(key)
    if file is None:
        return None
    text = file.read_text(encoding="utf-8")
    return json.loads(text) if section.name.endswith(".json") else text
