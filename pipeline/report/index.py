"""The last runs -> runs/index.html: newest first, with the serving one marked, history plots and links to the cards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from pipeline.engine.outcome import stopping
from pipeline.engine.store import Store
from pipeline.records.run_history import KILLED, WHY_KILLED, Record, RunHistory
from pipeline.report.attempt import attempt
from pipeline.report.drawings.drawing_cache import DrawingCache, identity
from pipeline.report.figures.history_plot import AccuracyPoint, accuracy_points, history_plot
from pipeline.report.figures.style import drawing, to_svg
from pipeline.report.headline import promotion_reasons, verdict_shown
from pipeline.report.rendering import render
from serving.errors import BeamlineError
from serving.files import replace_text
from serving.locks import locked
from serving.registry.promotion_events import PromotionEvent, PromotionEvents
from serving.registry.registry import Promoted, Registry

log = logging.getLogger("beamline.report")

INDEX = "index.html"
# The time to write the list must not grow with the number of all runs.
MAX_RUNS = 200


@dataclass(frozen=True)
class IndexRow:
    """One run in the list.

    Attributes:
        record: the run's record.
        card: the address of its card, relative to the list; None without a card.
        serves: the version of its model if that serves now; else None.
        version: the version that the run was promoted as; None if it was not, or if it is unknown.
        rolled_back: whether that version was rolled back, and not restored.
        reasons: the reasons of the verdict, or of the step that stopped the run, one sentence each.
        verdict: the text of the badge.
    """

    record: Record
    card: str | None
    serves: int | None
    version: int | None
    rolled_back: bool
    reasons: tuple[str, ...]
    verdict: str


@dataclass(frozen=True)
class HistoryPlot:
    """The accuracies of a model over its runs, two or more."""

    model: str
    points: tuple[AccuracyPoint, ...]

    @property
    def key(self) -> str:
        """Its key in the cache of drawings."""
        inputs = {"model": self.model, "points": [asdict(point) for point in self.points]}
        return identity("history-plot", history_plot.__module__, inputs)

    def draw(self) -> bytes:
        """The plot as SVG."""
        with drawing():
            return to_svg(history_plot(self.points), f"history-{self.key[:8]}").encode()


@dataclass(frozen=True)
class ModelInRegistry:
    """One model in the registry: the version that serves, None if it cannot be read, and all promotion events."""

    promoted: Promoted | None
    history: PromotionEvents

    def serves(self, record: Record) -> int | None:
        """The version of a run's model if that serves now; else None."""
        now = self.promoted
        # Another folder of runs that promotes to the same registry has a run with this number too.
        own = now is not None and (now.run, now.sha256) == (record.run, record.figures.get("bundle"))
        return now.version if now is not None and own else None

    def promotion(self, record: Record) -> PromotionEvent | None:
        """The event that promoted a run's model; None without one."""
        wanted = ("promote", record.run, record.figures.get("bundle"))
        events = (e for e in reversed(self.history.events) if (e.action, e.evidence.run, e.bundle_sha256) == wanted)
        return next(events, None)


def write_index(store: Store) -> Path:
    """Writes runs/index.html from the records of the last runs; damaged records are left out."""
    history = RunHistory(store.root)
    history.folder.mkdir(parents=True, exist_ok=True)
    # Of two runs that end at the same time, the second one reads the record of the first one.
    with locked(history.folder):
        return _write(store, history)


def _write(store: Store, history: RunHistory) -> Path:
    runs = history.runs()
    records = history.readable(runs[-MAX_RUNS:])
    registries = {key: _model_in_registry(*key) for key in {_registry_key(record) for record in records}}
    file = store.root / INDEX
    page = render(
        "index.html.j2",
        rows=[_row(record, store.root, registries[_registry_key(record)]) for record in reversed(records)],
        plots=_plots(records, DrawingCache.of(store.root)),
        comparisons=_comparisons(store.root),
        runs=len(runs),
    )
    replace_text(file, page)
    return file


def _row(record: Record, root: Path, model: ModelInRegistry) -> IndexRow:
    card = root / "reports" / f"{record.run}.html"
    promotion = model.promotion(record)
    return IndexRow(
        record=record,
        card=f"reports/{card.name}" if card.exists() else None,
        serves=model.serves(record),
        version=None if promotion is None else promotion.to_version,
        rolled_back=promotion is not None and promotion.bundle_sha256 in model.history.rolled_back(),
        reasons=_reasons(record),
        verdict=verdict_shown(record),
    )


def _reasons(record: Record) -> tuple[str, ...]:
    """The lines of the reasons of the step that stopped a run, or of its last gate."""
    if record.verdict == KILLED:
        return (WHY_KILLED,)
    by_name = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    if stopped is not None:
        first, *others = stopped.reasons or ("",)
        reasons: tuple[str, ...] = (f"{stopped.name}: {first}" if first else stopped.name, *others)
    else:
        last = by_name.get("promote") or by_name.get("verify")
        reasons = () if last is None else last.reasons
        if verdict_shown(record) == "promoted" and last is not None:
            reasons = promotion_reasons(last)
    return tuple(line for reason in reasons for line in reason.splitlines() if line.strip())


def _registry_key(record: Record) -> tuple[Path, str]:
    return record.models, str(record.config["model"])


def _model_in_registry(models: Path, model: str) -> ModelInRegistry:
    """A model that cannot be read has no versions."""
    try:
        return ModelInRegistry(Registry(models).promoted(model), Registry(models).promotion_events(model))
    except (BeamlineError, OSError):
        log.debug("registry of %s", model, exc_info=True)
        return ModelInRegistry(None, PromotionEvents(()))


def history_plots(records: Sequence[Record]) -> list[HistoryPlot]:
    """The history plot of each model; a model with fewer than two accuracies has none. `records` are oldest first."""
    models = sorted({model for _, model in map(_registry_key, records)})
    plots = [HistoryPlot(model, tuple(accuracy_points(model, records))) for model in models]
    return [plot for plot in plots if len(plot.points) >= 2]


def _plots(records: Sequence[Record], cache: DrawingCache) -> dict[str, str]:
    """The history plots as SVG, by model, without those that could not be drawn."""
    drawn = {}
    for plot in history_plots(records):
        problem = f"the history plot of {plot.model} could not be drawn"
        drawn[plot.model] = attempt(problem, partial(cache.get, plot.key, plot.draw), log.warning)
    return {model: file.read_text(encoding="utf-8") for model, file in drawn.items() if file is not None}


def _comparisons(root: Path) -> list[str]:
    """Addresses of the pages of comparisons, the newest first."""
    return sorted((f"comparisons/{page.name}" for page in root.glob("comparisons/*.html")), reverse=True)
