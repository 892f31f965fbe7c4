"""The registry -> findings: versions and pointers that are damaged, and server files that name another version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.health.finding import Finding
from pipeline.tracking.server import read_tracking_state
from serving.bundle.bundle import load_bundle
from serving.errors import BeamlineError
from serving.files import entries, is_staged
from serving.process.program import PIPELINE
from serving.registry.pointer import Pointer
from serving.registry.readers import owner_only_message
from serving.registry.registry import HISTORY, POINTER, Promoted, Registry
from serving.registry.server_files import has_text, server_files


def registry_findings(registry: Registry) -> Iterator[Finding]:
    """Checks every file of every version, and every pointer."""
    yield from _unfinished_files(registry.root)
    for model in (entry for entry in entries(registry.root) if entry.is_dir() and not entry.name.startswith(".")):
        yield from _unfinished_files(model)
        for entry in entries(model):
            if entry.name.startswith(".incoming"):
                yield Finding("fix", "registry", f"{entry} was left by an interrupted promotion: delete it")
            elif entry.is_dir() and entry.name.isdigit():
                yield from _version_findings(entry)
        yield from _pointer_findings(registry, model.name)
    names = ", ".join(registry.models()) or "none yet"
    yield Finding("ok", "registry", f"promoted models in {registry.root}: {names}")


def _unfinished_files(folder: Path) -> Iterator[Finding]:
    """The staged files of commands that run or were killed."""
    for entry in entries(folder):
        if is_staged(entry.name):
            advice = "the next one that writes there removes it"
            message = f"{entry} is a temporary file of a running or killed command: {advice}"
            yield Finding("note", "registry", message)


def _version_findings(folder: Path) -> Iterator[Finding]:
    try:
        load_bundle(folder)
    except (BeamlineError, OSError) as error:
        yield Finding("fix", "registry", f"{error}; do not serve {folder}")


def _pointer_findings(registry: Registry, model: str) -> Iterator[Finding]:
    try:
        promoted = registry.promoted(model)
        if promoted is None:
            yield _missing_pointer(registry, model)
            return
        load_bundle(promoted.path, promoted.sha256)
    except (BeamlineError, OSError) as error:
        yield Finding("fix", "registry", f"{model} cannot serve: {error}")
        return
    yield from _event_findings(registry, promoted)
    yield from _tracking_findings(registry, promoted)
    if (message := owner_only_message(registry, promoted)) is not None:
        yield Finding("note", "registry", message)
    yield Finding("ok", "registry", f"{model} version {promoted.version} serves, sha256 {promoted.sha256[:12]}")


def _missing_pointer(registry: Registry, model: str) -> Finding:
    last = registry.promotion_events(model).last
    if last is None:
        return Finding("note", "registry", f"{registry.root / model} has no promoted version")
    command = f"{PIPELINE} rollback {model} --to {last.to_version} --reason TEXT"
    message = f"{registry.root / model} has promotion events and no {POINTER}: choose the version with `{command}`"
    return Finding("fix", "registry", message)


def _event_findings(registry: Registry, promoted: Promoted) -> Iterator[Finding]:
    """Checks the promotion events and the files for other servers, and lists the versions that were rolled back."""
    model, events = promoted.model, registry.promotion_events(promoted.model)
    for number in events.damaged:
        file = registry.root / model / HISTORY
        yield Finding("fix", "registry", f"{file}: line {number} cannot be read: correct or restore it")
    if (problem := Pointer(registry, model).history_problem()) is not None:
        yield Finding("fix", "registry", problem)
    for file, text in server_files(registry, model).items():
        if not has_text(file, text):
            message = f"{file} does not name version {promoted.version}: the next run or rollback writes it again"
            yield Finding("note", "registry", message)
    for event in events.rolled_back().values():
        message = f"{model} was rolled back from version {event.from_version}, {event.time[:10]}: {event.reason}"
        yield Finding("note", "registry", message)


def _tracking_findings(registry: Registry, promoted: Promoted) -> Iterator[Finding]:
    """Checks that MLflow's alias of a tracked model is up to date."""
    model = promoted.model
    try:
        state = read_tracking_state(registry.root / model)
    except BeamlineError as error:
        yield Finding("fix", "tracking", f"{error}: run {model} once with --track mlflow, which replaces it")
        return
    if state is not None and state.followed != promoted.event.sequence:
        message = (
            f"MLflow's alias is not at {model} version {promoted.version}, which serves: "
            f"the next run, promote or rollback of {model} moves it"
        )
        yield Finding("note", "tracking", message)
