"""Runs in a history with the files that a run leaves."""

from __future__ import annotations

from dataclasses import replace

from pipeline.records.run_history import RunHistory
from tests.pipeline.requests import begun


def add_run(toy, made, verdict: str = "promoted") -> str:
    """Adds a run to the history, with a log, pictures and TensorBoard files. Returns: its number."""
    history = RunHistory(toy.store.root)
    began = begun(history)
    history.finish(replace(began, verdict=verdict, steps=tuple(made.values())))
    (toy.store.root / "logs").mkdir(exist_ok=True)
    (toy.store.root / "logs" / f"{began.run}.log").write_text("log")
    (toy.store.root / "reports" / began.run).mkdir(parents=True)
    (toy.store.root / "reports" / began.run / "curves.png").write_bytes(b"png")
    (toy.store.root / "tensorboard" / f"{began.run}-tiny.v2-mlp" / "training").mkdir(parents=True)
    return began.run
