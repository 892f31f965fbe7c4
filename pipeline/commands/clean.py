"""clean: remove files that neither a promoted version nor the last runs need."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipeline.commands.arguments import parser_of
from pipeline.engine.store import PAYLOAD, Store
from pipeline.records.run_history import Record, RunHistory
from pipeline.report.pages import renew_index
from pipeline.tracking.tensorboard import TENSORBOARD_FOLDER
from serving.arguments.parser import Arguments
from serving.bundle.manifest import MANIFEST
from serving.codec import FormatError, read
from serving.errors import BundleError, InputError
from serving.files import sha256_file, size_bytes
from serving.registry.registry import Registry

KEEP = 10
UNFINISHED = ("running", "interrupted", "failed")


def clean(arguments: list[str]) -> int:
    """Removes files and folders that are not needed, and prints them. Returns: 0.

    Raises:
        InputError: there are no runs, or a record cannot be read.
        BeamlineError: another command uses the folder of runs.
    """
    given = _parser().parse_args(arguments)
    if given.keep < 1:
        raise InputError(f"--keep {given.keep}: give 1 or more")
    store, history = Store(given.runs), RunHistory(given.runs)
    if not history.runs():
        raise InputError(
            f"{given.runs} has no runs, so there is nothing to clean: name another folder with --runs FOLDER"
        )
    with store.exclusive():
        unneeded = _unneeded(store, history, given.models, given.keep)
        freed = sum(map(size_bytes, unneeded))
        for path in unneeded:
            print(f"{'would remove' if given.dry_run else 'removed'}  {size_bytes(path) / 1e6:8.2f} MB  {path}")
            if not given.dry_run:
                _remove(path, store.root / ".trash")
        if not given.dry_run:
            shutil.rmtree(store.root / ".trash", ignore_errors=True)
            renew_index(store.root)
    for entry in sorted(store.root.glob("artifacts/*")):
        if store.by_name(entry.name) is None:
            advice = "no command uses it; delete it yourself if you do not need it"
            print(f"not removed, because it is not a complete artifact: {entry} ({advice})")
    action = "would be freed" if given.dry_run else "freed"
    kept = f"the files of the last {given.keep} runs and of the promoted versions"
    print(f"{len(unneeded)} files and folders, {freed / 1e6:,.1f} MB {action}; kept: {kept}")
    return 0


def _parser() -> Arguments:
    parser = parser_of("clean", "Removes files that neither a promoted version nor the last runs need.")
    keep = "keep all files of the last K runs (default: %(default)s)"
    parser.add_argument("--keep", type=int, default=KEEP, metavar="K", help=keep)
    dry_run = "remove nothing, and show what would be removed"
    parser.add_argument("--dry-run", action=argparse.BooleanOptionalAction, default=False, help=dry_run)
    return parser


@dataclass(frozen=True)
class Needs:
    """What must be kept.

    Attributes:
        runs: numbers of the runs whose logs, cards, pictures and TensorBoard files are kept.
        artifacts: names of the artifacts' folders.
        unfinished: whether one of the last runs did not finish: then its unfinished artifacts are kept, and artifacts
            that no record names, because it may have made them.
    """

    runs: frozenset[str]
    artifacts: frozenset[str]
    unfinished: bool


def find_needs(records: Sequence[Record], promoted: Mapping[str, bool], keep: int) -> Needs:
    """What must be kept for the last `keep` runs and for the promoted versions; `records` are oldest first.

    `promoted` maps the folder name of an export artifact to whether a registry has its bundle.
    """
    last = [record.run for record in records[-keep:]]
    kept = [r for r in records if r.run in last or any(promoted.get(artifact, False) for artifact in _artifacts(r))]
    return Needs(
        runs=frozenset(record.run for record in kept),
        artifacts=frozenset(artifact for record in kept for artifact in _artifacts(record)),
        unfinished=any(record.verdict in UNFINISHED for record in records[-keep:]),
    )


def _artifacts(record: Record) -> Iterator[str]:
    return (outcome.artifact for outcome in record.steps if outcome.artifact is not None)


def _unneeded(store: Store, history: RunHistory, models: Path, keep: int) -> list[Path]:
    """Artifacts, logs, cards, pictures, TensorBoard files, comparisons and unfinished files that are not needed."""
    records = history.records()
    # A run may have promoted its model to another registry.
    registries = {models, *(record.models for record in records)}
    versions = {digest for registry in registries for digest in _versions(registry)}
    exported = store.root.glob(f"artifacts/export-*/{PAYLOAD}/{MANIFEST}")
    promoted = {manifest.parent.parent.name: sha256_file(manifest) in versions for manifest in exported}
    needed = find_needs(records, promoted, keep)
    named = {artifact for record in records for artifact in _artifacts(record)}
    artifacts = [
        entry
        for entry in sorted(store.root.glob("artifacts/*"))
        if store.by_name(entry.name) is not None
        and entry.name not in needed.artifacts
        and not (needed.unfinished and entry.name not in named)
    ]
    dropped = {record.run for record in records} - needed.runs
    named_after_runs = [
        entry for folder in ("logs", "reports", TENSORBOARD_FOLDER) for entry in sorted(store.root.glob(f"{folder}/*"))
    ]
    # No run is in progress, so hidden files there are those of a killed one.
    reports = [e for e in named_after_runs if e.stem.partition("-")[0] in dropped or e.name.startswith(".")]
    for comparison in sorted(store.root.glob("comparisons/*.json")):
        reports += _files_with_dropped_runs(comparison, dropped)
    staged = [] if needed.unfinished else sorted(store.root.glob(".staging/*"))
    return [*artifacts, *reports, *staged]


@dataclass(frozen=True)
class _ComparedRun:
    IGNORES_UNKNOWN: ClassVar = True
    run: str | None


@dataclass(frozen=True)
class _ComparedRuns:
    IGNORES_UNKNOWN: ClassVar = True
    entries: tuple[_ComparedRun, ...]


def _files_with_dropped_runs(comparison: Path, dropped: Collection[str]) -> list[Path]:
    """The files of a comparison if one of its runs is dropped: its page would link to a card that is removed."""
    try:
        entries = read(_ComparedRuns, comparison).entries
    except (OSError, FormatError):
        return []
    return sorted(comparison.parent.glob(f"{comparison.stem}.*")) if any(e.run in dropped for e in entries) else []


def _versions(models: Path) -> Iterator[str]:
    """The digests of all bundles in a registry, and of those that its pointers name."""
    for manifest in models.glob(f"*/[0-9]*/{MANIFEST}"):
        yield sha256_file(manifest)
    for model in Registry(models).models():
        # The version of a damaged pointer is unknown; the model's versions are listed above.
        with contextlib.suppress(BundleError):
            promoted = Registry(models).promoted(model)
            if promoted is not None:
                yield promoted.sha256


def _remove(path: Path, trash: Path) -> None:
    """Moves the path before it deletes it, so that a half deleted artifact is never found in the store."""
    trash.mkdir(exist_ok=True)
    target = trash / path.name
    shutil.rmtree(target, ignore_errors=True)
    os.replace(path, target)
    shutil.rmtree(target) if target.is_dir() else target.unlink()
