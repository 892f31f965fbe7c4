"""The command `clean`: removes what neither a promoted version nor the last runs need."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.curves import FOLDER
from pipeline.folders import parser_of
from pipeline.history import History, Record
from pipeline.report.pages import renew_index
from pipeline.store import PAYLOAD, Store
from serving.arguments import Arguments
from serving.bundle import MANIFEST
from serving.errors import BundleError, InputError
from serving.files import sha256_file
from serving.registry import Registry

KEEP = 10
UNFINISHED = ("running", "interrupted", "failed")


def clean(arguments: list[str]) -> int:
    """Removes what nothing needs, and says what.

    Returns:
        0.

    Raises:
        InputError: there are no runs, or a record cannot be read.
        BeamlineError: a run is going on.
    """
    given = _parser().parse_args(arguments)
    if given.keep < 1:
        raise InputError(f"--keep {given.keep}: give 1 or more")
    store, history = Store(given.runs), History(given.runs)
    if not history.runs():
        raise InputError(
            f"{given.runs} has no runs: there is nothing to clean, or say where they are with --runs FOLDER"
        )
    with store.alone():
        superfluous = _superfluous(store, history, given.models, given.keep)
        freed = sum(_bytes(path) for path in superfluous)
        for path in superfluous:
            print(f"{'would remove' if given.dry_run else 'removed'}  {_bytes(path) / 1e6:8.2f} MB  {path}")
            if not given.dry_run:
                _remove(path, store.root / ".trash")
        if not given.dry_run:
            shutil.rmtree(store.root / ".trash", ignore_errors=True)
            renew_index(store.root)
    for entry in _foreign(store):
        print(f"left alone, because it is no whole artifact: {entry}")
    done = "would be freed" if given.dry_run else "freed"
    kept = f"what the last {given.keep} runs and the promoted versions need"
    print(f"{len(superfluous)} files and folders, {freed / 1e6:,.1f} MB {done}; kept: {kept}")
    return 0


def _parser() -> Arguments:
    parser = parser_of("clean", "Removes what neither a promoted version nor the last runs need.")
    parser.add_argument(
        "--keep",
        type=int,
        default=KEEP,
        metavar="K",
        help="how many of the last runs stay whole (default: %(default)s)",
    )
    parser.add_argument(
        "--dry-run", action=argparse.BooleanOptionalAction, default=False, help="remove nothing, and say what would be"
    )
    return parser


@dataclass(frozen=True)
class Needs:
    """What has to stay.

    Attributes:
        runs: whose logs, cards, pictures and curves stay.
        artifacts: names of the folders of artifacts.
        unfinished: one of the last runs did not come to its end, so what it left half made stays too, and what no
            record names, because it may be its.
    """

    runs: frozenset[str]
    artifacts: frozenset[str]
    unfinished: bool


def needs(records: Sequence[Record], promoted: Mapping[str, bool], keep: int) -> Needs:
    """What the last runs and the promoted versions need.

    Args:
        records: all runs, oldest first.
        promoted: by the folder of an export's artifact, whether its bundle stands in the registry.
        keep: how many of the last runs stay, 1 or more.
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


def _superfluous(store: Store, history: History, models: Path, keep: int) -> list[Path]:
    """Artifacts, logs, cards, pictures, curves, comparisons and leftovers that are not needed."""
    records = history.records()
    # A registry elsewhere that a run promoted to needs what it was given too.
    registries = {models, *(record.models for record in records)}
    versions = {digest for registry in registries for digest in _versions(registry)}
    exported = store.root.glob(f"artifacts/export-*/{PAYLOAD}/{MANIFEST}")
    promoted = {manifest.parent.parent.name: sha256_file(manifest) in versions for manifest in exported}
    needed = needs(records, promoted, keep)
    named = {artifact for record in records for artifact in _artifacts(record)}
    artifacts = [
        entry
        for entry in sorted(store.root.glob("artifacts/*"))
        if store.stored(entry) is not None
        and entry.name not in needed.artifacts
        and not (needed.unfinished and entry.name not in named)
    ]
    dropped = {record.run for record in records} - needed.runs
    said = [entry for folder in ("logs", "reports", FOLDER) for entry in sorted(store.root.glob(f"{folder}/*"))]
    # While nothing runs, what is hidden there was left by a run that was killed as it drew.
    told = [entry for entry in said if entry.stem.partition("-")[0] in dropped or entry.name.startswith(".")]
    told += [file for entry in sorted(store.root.glob("comparisons/*.json")) for file in _of_dropped(entry, dropped)]
    staged = [] if needed.unfinished else sorted(store.root.glob(".staging/*"))
    return [*artifacts, *told, *staged]


def _of_dropped(comparison: Path, dropped: Collection[str]) -> list[Path]:
    """The files of a comparison of which a run is dropped, whose page would lead to a card that is gone."""
    try:
        entries = json.loads(comparison.read_text(encoding="utf-8"))["entries"]
        gone = any(entry["run"] in dropped for entry in entries)
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(comparison.parent.glob(f"{comparison.stem}.*")) if gone else []


def _versions(models: Path) -> Iterator[str]:
    """The digests of all bundles in a registry: of those that stand there, and of those that shall serve."""
    for manifest in models.glob(f"*/[0-9]*/{MANIFEST}"):
        yield sha256_file(manifest)
    for model in Registry(models).models():
        # What a damaged pointer names, nobody can say: its versions stand there all the same.
        with contextlib.suppress(BundleError):
            promoted = Registry(models).promoted(model)
            if promoted is not None:
                yield promoted.sha256


def _foreign(store: Store) -> list[Path]:
    return [entry for entry in sorted(store.root.glob("artifacts/*")) if store.stored(entry) is None]


def _remove(path: Path, trash: Path) -> None:
    """Moves it out of sight first: what is half deleted must not be found as whole."""
    trash.mkdir(exist_ok=True)
    target = trash / path.name
    shutil.rmtree(target, ignore_errors=True)
    os.replace(path, target)
    shutil.rmtree(target) if target.is_dir() else target.unlink()


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
