"""Records -> the keys of the drawings that their cards, pictures and the list of runs show, for `clean`."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import Record
from pipeline.report.card_sections import SECTIONS
from pipeline.report.figures.figure_list import PICTURES
from pipeline.report.index import MAX_RUNS, history_plots


def needed_drawings(with_card: Sequence[Record], listed: Sequence[Record], store: Store) -> frozenset[str]:
    """Keys of the cache of drawings.

    Args:
        with_card: the runs that have a card and pictures.
        listed: all runs that have a record, oldest first.
        store: has their artifacts.
    """
    runs = [RunArtifacts(record, store) for record in with_card]
    drawn = [(drawing, run) for run in runs for drawing in (*SECTIONS, *PICTURES) if drawing.possible(run)]
    plots = history_plots(listed[-MAX_RUNS:])
    return frozenset([*(drawing.identity(run) for drawing, run in drawn), *(plot.key for plot in plots)])
