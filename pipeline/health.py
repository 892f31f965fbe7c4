"""Whether what is remembered and what is promoted is still as it was written: store, history and registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.history import History
from pipeline.store import Store
from pipeline.tracking.memory import read_memory
from serving import bundle
from serving.errors import BeamlineError
from serving.pointer import Pointer
from serving.registry import HISTORY, POINTER, Promoted, Registry
from serving.servers import says


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what came of it.

    Attributes:
        state: `ok`; `note`, which is good to know; `do`, which says what to do.
        subject: what was looked at, in one or two words.
        words: what was found, and for `do` the remedy.
    """

    state: Literal["ok", "note", "do"]
    subject: str
    words: str


def store_findings(store: Store) -> Iterator[Finding]:
    """Reads every byte of every artifact, and looks for what was left half made."""
    folder = store.root / "artifacts"
    whole = size = 0
    for entry in _entries(folder):
        stored = store.stored(entry)
        if stored is None:
            yield Finding("note", "store", f"{entry} is no whole artifact: it is never used, and can be deleted")
        elif (damage := stored.damage()) is not None:
            yield Finding("do", "store", f"{entry} is damaged ({damage}): delete it, the next run makes it again")
        else:
            whole += 1
            size += _bytes(entry)
    yield Finding("ok", "store", f"{whole} artifacts in {folder} as they were committed, {size / 1e6:,.0f} MB")
    for entry in _entries(store.root / ".staging"):
        yield Finding(
            "note",
            "staging",
            f"{entry} ({_bytes(entry) / 1e6:,.1f} MB) belongs to a step that is running or was interrupted: "
            "the same command goes on from there",
        )


def history_findings(history: History) -> Iterator[Finding]:
    """Reads every run's record."""
    runs = history.runs()
    readable = 0
    for run in runs:
        try:
            if history.read(run).verdict == "running":
                words = f"run {run} is going on, or was killed: the same command goes on from there"
                yield Finding("note", "history", words)
            readable += 1
        except BeamlineError as error:
            yield Finding("do", "history", str(error))
    yield Finding("ok", "history", f"{readable} of {len(runs)} runs in {history.folder} can be read")


def registry_findings(registry: Registry) -> Iterator[Finding]:
    """Checks every file of every version, and that what serves is what was promoted."""
    yield from _cut_off(registry.root)
    for model in (entry for entry in _entries(registry.root) if entry.is_dir() and not entry.name.startswith(".")):
        yield from _cut_off(model)
        for entry in _entries(model):
            if entry.name.startswith(".incoming"):
                yield Finding("do", "registry", f"{entry} was left by a promotion that was cut off: delete it")
            elif entry.is_dir() and entry.name.isdigit():
                yield from _version_findings(entry)
        yield from _pointer_findings(registry, model.name)
    names = registry.models()
    yield Finding("ok", "registry", f"{registry.root} promotes " + (", ".join(names) if names else "nothing yet"))


def _cut_off(folder: Path) -> Iterator[Finding]:
    """What `serving.files.replace_text` did not come to put in its place; its name ends with a process's number."""
    for entry in _entries(folder):
        if entry.name.startswith(".") and entry.suffix[1:].isdigit():
            words = f"{entry} is being written, or was when a command was killed: where none is at work, delete it"
            yield Finding("note", "registry", words)


def _version_findings(folder: Path) -> Iterator[Finding]:
    try:
        bundle.load(folder)
    except BeamlineError as error:
        yield Finding("do", "registry", f"{error}: never serve {folder}; the run that made it makes it again")


def _pointer_findings(registry: Registry, model: str) -> Iterator[Finding]:
    try:
        promoted = registry.promoted(model)
        if promoted is None:
            yield _nothing_serves(registry, model)
            return
        promoted.load()
    except (BeamlineError, OSError) as error:
        yield Finding("do", "registry", f"{model} cannot serve: {error}")
        return
    yield from _record_findings(registry, promoted)
    yield from _tracking_findings(registry, promoted)
    yield Finding("ok", "registry", f"{model} version {promoted.version} serves, sha256 {promoted.sha256[:12]}")


def _nothing_serves(registry: Registry, model: str) -> Finding:
    last = registry.history(model).last
    if last is None:
        return Finding("note", "registry", f"{registry.root / model} promotes no version")
    words = f"{registry.root / model} has a history and no {POINTER}: say what shall serve with "
    return Finding(
        "do", "registry", f"{words}`python -m pipeline rollback {model} --to {last.to_version} --reason TEXT`"
    )


def _record_findings(registry: Registry, promoted: Promoted) -> Iterator[Finding]:
    """What the history lacks, what other servers are told wrongly, and what a person took out of service."""
    history = registry.history(promoted.model)
    for number in history.damaged:
        words = f"{registry.root / promoted.model / HISTORY}: line {number} cannot be read: put it right"
        yield Finding("do", "registry", words)
    if (gap := Pointer(registry, promoted.model).gap()) is not None:
        yield Finding("do", "registry", gap)
    for file, text in registry.server_files(promoted.model).items():
        if not says(file, text):
            words = f"{file} does not name version {promoted.version}: the next run or rollback writes it again"
            yield Finding("note", "registry", words)
    for event in history.rolled_back().values():
        words = f"{promoted.model} was rolled back from version {event.from_version}, {event.time[:10]}: {event.reason}"
        yield Finding("note", "registry", words)


def _tracking_findings(registry: Registry, promoted: Promoted) -> Iterator[Finding]:
    """Whether MLflow was told what serves, where it was to be."""
    model = promoted.model
    try:
        memory = read_memory(registry.root / model)
    except BeamlineError as error:
        yield Finding("do", "tracking", f"{error}: run {model} once with --track mlflow, which writes it anew")
        return
    if memory is not None and memory.followed != promoted.event.sequence:
        words = f"MLflow was not told yet that {model} version {promoted.version} serves: "
        yield Finding("note", "tracking", f"{words}the next run, promote or rollback of {model} tells it")


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing where there is no folder."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
