"""drawing_ahead: another process fills the cache; without it, or if it is killed, the report is the same."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from pipeline.records.candidate_figures import candidate_figures
from pipeline.records.run_history import RunHistory
from pipeline.report.card_sections import SECTIONS
from pipeline.report.drawings import drawing_ahead as module
from pipeline.report.drawings.drawing_ahead import drawing_ahead, wait_for_drawings
from pipeline.report.drawings.drawing_cache import DrawingCache
from pipeline.report.figures.figure_list import PICTURES
from pipeline.report.index import history_plots
from tests.pipeline.report.conftest import artifacts_of, record_of
from tests.pipeline.report.listed_runs import add


@pytest.fixture
def made(runs, monkeypatch):
    """The outcomes of a run that evaluated, in a process without matplotlib."""
    monkeypatch.setattr(module, "sys", SimpleNamespace(modules={}))
    return {name: replace(outcome, outcome="executed") for name, outcome in runs.made().items()}


def drawn(runs, made):
    """The contents of the drawings in the cache, by name."""
    run, cache = artifacts_of(made, runs.store), DrawingCache.of(runs.store.root)
    possible = [drawing for drawing in (*PICTURES, *SECTIONS) if drawing.possible(run)]
    found = {drawing.name: cache.find(drawing.identity(run)) for drawing in possible}
    return {name: None if file is None else file.read_bytes() for name, file in found.items()}


def test_another_process_draws_what_this_one_would_draw(runs, made):
    with drawing_ahead(record_of("0001", {}, runs.store.root), runs.store.root, soon=False) as draw:
        draw({name: made[name] for name in ("ingest", "analyze", "train")})
        assert module._Process.running is None
        draw(made)
        first = module._Process.running
        draw(made)
        assert module._Process.running is first
        wait_for_drawings()
    ahead = drawn(runs, made)
    assert len(ahead) == len(PICTURES) + len(SECTIONS) - 1
    assert None not in ahead.values()
    for file in DrawingCache.of(runs.store.root).folder.iterdir():
        file.unlink()
    module.draw_all(artifacts_of(made, runs.store))
    assert drawn(runs, made) == ahead


def test_history_plot_is_drawn_as_the_run_will_probably_end(runs, made):
    history = RunHistory(runs.store.root)
    for folder in (history.folder, runs.store.root / "reports"):
        folder.mkdir()
    for run in ("0001", "0002"):
        add(history, run, "promoted")
    evaluation = made["evaluate"] = replace(made["evaluate"], passed=True)
    with drawing_ahead(record_of("0003", {}, runs.store.root), runs.store.root, soon=False) as draw:
        draw(made)
        wait_for_drawings()
    figures = candidate_figures(made, runs.store)
    assert figures["rows"] == 90
    ended = replace(record_of("0003", made, runs.store.root), figures=figures)
    (plot,) = history_plots([*history.records(), ended])
    assert [point.run for point in plot.points] == ["0001", "0002", "0003"]
    assert DrawingCache.of(runs.store.root).find(plot.key).read_bytes() == plot.draw()
    refused = {**made, "evaluate": replace(evaluation, passed=False)}
    with drawing_ahead(record_of("0003", {}, runs.store.root), runs.store.root, soon=False) as draw:
        draw(refused)
        wait_for_drawings()
    (plot,) = history_plots([*history.records(), replace(ended, verdict="refused")])
    assert DrawingCache.of(runs.store.root).find(plot.key) is not None


def test_process_that_starts_soon_draws_for_an_evaluation_that_was_cached(runs, made):
    made["evaluate"] = replace(made["evaluate"], outcome="cached")
    with drawing_ahead(record_of("0001", {}, runs.store.root), runs.store.root, soon=True) as draw:
        assert module._Process.running is not None
        draw(made)
        wait_for_drawings()
        assert module._Process.running.returncode == 0
    assert None not in drawn(runs, made).values()


def test_process_that_has_nothing_to_draw_ends(runs, made):
    with drawing_ahead(record_of("0001", {}, runs.store.root), runs.store.root, soon=True) as draw:
        draw({"evaluate": replace(made["evaluate"], artifact=None, outcome="failed", passed=False)})
        wait_for_drawings()
        assert module._Process.running.returncode == 0
    assert not DrawingCache.of(runs.store.root).folder.exists()


def test_process_is_ended_with_the_run(runs, made):
    with drawing_ahead(record_of("0001", {}, runs.store.root), runs.store.root, soon=False) as draw:
        draw(made)
        process = module._Process.running
    assert process.returncode == -signal.SIGKILL
    assert module._Process.running is None


def test_killed_process_is_no_failure(runs, made):
    with drawing_ahead(record_of("0001", {}, runs.store.root), runs.store.root, soon=False) as draw:
        draw(made)
        os.kill(module._Process.running.pid, signal.SIGKILL)
        wait_for_drawings()


def test_drawing_that_fails_leaves_the_others(runs, made):
    (block,) = runs.store.root.glob("artifacts/ingest-*/payload/test-00001.images.npy")
    block.write_bytes(b"")
    module.draw_all(artifacts_of(made, runs.store))
    ahead = drawn(runs, made)
    assert ahead["samples.png"] is None
    assert ahead["learning-curves.png"] is not None


@pytest.mark.parametrize("change", ["cached", "matplotlib"])
def test_no_process_is_started_in_vain(runs, made, monkeypatch, change):
    if change == "matplotlib":
        monkeypatch.setattr(module, "sys", SimpleNamespace(modules={"matplotlib": module}))
    else:
        made["evaluate"] = replace(made["evaluate"], outcome="cached")
    with drawing_ahead(record_of("0001", {}, runs.store.root), runs.store.root, soon=False) as draw:
        draw(made)
        assert module._Process.running is None
