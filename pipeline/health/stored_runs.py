"""The folder of runs -> findings: artifacts that changed, steps that were interrupted, records that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.engine.store import Store
from pipeline.health.finding import Finding
from pipeline.records.run_history import KILLED, RUNNING, WHY_KILLED, RunHistory
from serving.errors import BeamlineError
from serving.files import entries, size_bytes


def store_findings(store: Store) -> Iterator[Finding]:
    """Checks every byte of every artifact, and lists unfinished ones."""
    folder = store.root / "artifacts"
    count = size = 0
    for entry in entries(folder):
        stored = store.by_name(entry.name)
        if stored is None:
            yield Finding("note", "store", f"{entry} is not a complete artifact: it is never used, and can be deleted")
        elif (damage := stored.damage()) is not None:
            yield Finding("fix", "store", f"{entry} is damaged ({damage}): delete it, and the next run makes it again")
        else:
            count += 1
            size += size_bytes(entry)
    yield Finding("ok", "store", f"{count} artifacts in {folder} are unchanged, {size / 1e6:,.0f} MB")
    for entry in entries(store.root / ".staging"):
        message = (
            f"{entry} ({size_bytes(entry) / 1e6:,.1f} MB) belongs to a step that is running or was interrupted: "
            "run the same command to continue"
        )
        yield Finding("note", "staging", message)


def history_findings(history: RunHistory) -> Iterator[Finding]:
    """Reads the record of every run."""
    runs = history.runs()
    readable = 0
    for run in runs:
        try:
            verdict = history.read(run).verdict
            if verdict == RUNNING:
                yield Finding("note", "history", f"run {run} is running, as far as the locks of the file system show")
            elif verdict == KILLED:
                yield Finding("note", "history", f"run {run} was killed: {WHY_KILLED}")
            readable += 1
        except BeamlineError as error:
            yield Finding("fix", "history", str(error))
    yield Finding("ok", "history", f"{readable} of {len(runs)} runs in {history.folder} can be read")
