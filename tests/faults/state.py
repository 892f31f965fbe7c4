"""What lies in a project's folder: the version that serves, the history, artifacts, outputs and leftovers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.records.run_history import RUNNING, RunHistory
from serving.bundle.bundle import load_bundle
from serving.errors import BeamlineError
from serving.registry.registry import Registry
from serving.scoring.scorer import Scorer

MODEL = "tiny"
# These may be hidden files between two commands.
HIDDEN = (".lock", ".parts", ".staging", ".digests")


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def tree(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder, by its path there."""
    return {str(file.relative_to(folder)): digest(file) for file in sorted(folder.rglob("*")) if file.is_file()}


@dataclass(frozen=True)
class Serving:
    """What serves.

    Attributes:
        version: its number; None if nothing serves.
        sha256: its digest.
        sequences: the numbers of all events, in order.
        problems: one sentence for each thing that must not be.
    """

    version: int | None
    sha256: str
    sequences: tuple[int, ...]
    problems: tuple[str, ...]


def serving(folder: Path) -> Serving:
    """Reads the registry as a server does: pointer, bundle, history."""
    problems = []
    registry = Registry(folder / "models")
    try:
        promoted = registry.promoted(MODEL)
        events = registry.promotion_events(MODEL)
        if promoted is not None:
            bundle = load_bundle(promoted.path, promoted.sha256)
            shape = bundle.manifest.image_shape
            if not np.isfinite(Scorer(bundle, threads=1).score(np.zeros((1, *shape), np.uint8)).probabilities).all():
                problems.append("the version that serves does not score")
    except BeamlineError as error:
        return Serving(None, "", (), (f"what serves cannot be loaded: {error}",))
    sequences = tuple(event.sequence for event in events.events)
    if sequences != tuple(range(1, len(sequences) + 1)) or events.damaged:
        problems.append(f"the history is not whole: {sequences}, damaged lines {events.damaged}")
    if promoted is None:
        return Serving(None, "", sequences, tuple(problems))
    if promoted.event.sequence != len(sequences):
        problems.append("the pointer is not that of the last event")
    return Serving(promoted.version, promoted.sha256, sequences, tuple(problems))


def artifacts(folder: Path) -> dict[str, str]:
    """The content digest of every artifact, by its name; each is checked against its files."""
    found = {}
    for record in (folder / "runs/artifacts").glob("*/record.json"):
        content = json.loads(record.read_text())
        for name, sha256 in content["files"].items():
            assert digest(record.parent / "payload" / name) == sha256, f"{record.parent / 'payload' / name} was changed"
        found[record.parent.name] = content["sha256"]
    return found


def leftovers(folder: Path) -> Iterator[str]:
    """Hidden files, temporary files, and records of runs that did not end."""
    for file in folder.rglob("*"):
        inside = file.relative_to(folder).parts
        hidden = file.name.startswith(".") and file.name not in HIDDEN
        if (inside[0] == "tmp" and len(inside) > 1) or (hidden and inside[:2] != ("runs", ".staging")):
            yield str(file.relative_to(folder))
    history = RunHistory(folder / "runs")
    for record in history.readable(history.runs()):
        if record.verdict == RUNNING:
            yield f"run {record.run} seems to be going on"
