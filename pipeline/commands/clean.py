"""clean: remove files that neither a promoted version nor the last runs need."""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.commands.arguments import parser_of
from pipeline.comparison.old_comparisons import comparisons_with_runs
from pipeline.engine.folders import is_half_removed, remove
from pipeline.engine.store import PAYLOAD, Store
from pipeline.records.needs import Needs, Promotions, find_needs
from pipeline.records.run_history import Record, RunHistory
from pipeline.report.drawings.drawing_cache import DrawingCache
from pipeline.report.drawings.needed_drawings import needed_drawings
from pipeline.report.pages import renew_index
from pipeline.tracking.tensorboard import TENSORBOARD_FOLDER
from serving.arguments.parser import Arguments
from serving.arguments.ranges import Range
from serving.bundle.manifest import MANIFEST
from serving.errors import BeamlineError, BundleError, InputError
from serving.files import entries, sha256_file, size_bytes
from serving.registry.registry import Registry

KEEP = 10


def clean(arguments: list[str]) -> int:
    """Removes files and folders that are not needed, and prints each one that is gone. Returns: 0.

    Raises:
        InputError: there are no runs, or a record cannot be read.
        BeamlineError: another command uses the folder of runs, or something could not be removed.
    """
    given = _parser().parse_args(arguments)
    store, history = Store(given.runs), RunHistory(given.runs)
    if not history.runs():
        raise InputError(
            f"{given.runs} has no runs, so there is nothing to clean: name another folder with --runs FOLDER"
        )
    with store.exclusive():
        unneeded = _unneeded(store, history, given.models, given.keep)
        freed = _freed_bytes(unneeded)
        if given.dry_run:
            for path in unneeded:
                print(_line("would remove", _size_bytes(path), path))
        else:
            _remove_all(unneeded, store)
    for entry in entries(store.root / "artifacts"):
        if store.by_name(entry.name) is None and entry not in unneeded:
            advice = "no command uses it; delete it yourself if you do not need it"
            print(f"not removed, because it is not a complete artifact: {entry} ({advice})")
    action = "would be freed" if given.dry_run else "freed"
    kept = f"the files of the last {given.keep} runs and of the promoted versions"
    print(f"{len(unneeded)} files and folders, {freed / 1e6:,.1f} MB {action}; kept: {kept}")
    return 0


def _parser() -> Arguments:
    description = (
        "Removes files that neither a promoted version nor the last runs need, and the records of runs that made "
        "nothing new."
    )
    parser = parser_of("clean", description)
    keep = "keep all files of the last K runs (default: %(default)s)"
    parser.add_argument("--keep", type=Range(1, 1_000_000).whole, default=KEEP, metavar="K", help=keep)
    dry_run = "remove nothing, and show what would be removed"
    parser.add_argument("--dry-run", action=argparse.BooleanOptionalAction, default=False, help=dry_run)
    return parser


def _remove_all(unneeded: Sequence[Path], store: Store) -> None:
    """Removes files and folders, and prints each one after it is gone; then rewrites the list of runs.

    Raises: BeamlineError: one could not be removed.
    """
    try:
        for number, path in enumerate(unneeded):
            size = _size_bytes(path)
            try:
                remove(path)
            except OSError as error:
                raise BeamlineError(
                    f"{path} could not be removed completely ({error.strerror or error}): {number} of {len(unneeded)} "
                    f"files and folders were removed, those in the lines above, and {len(unneeded) - number} were not; "
                    "make it removable, then run the same command again, which removes the rest"
                ) from error
            print(_line("removed", size, path), flush=True)
    finally:
        renew_index(store.root)


def _line(action: str, size: int, path: Path) -> str:
    return f"{action}  {size / 1e6:8.2f} MB  {path}"


def _size_bytes(path: Path) -> int:
    """The size of a file or of all files in a folder; of a link, its target stays."""
    return 0 if path.is_symlink() else size_bytes(path)


def _freed_bytes(unneeded: Sequence[Path]) -> int:
    """What the disk has more room for when these paths are gone: a file with another name elsewhere stays."""
    found = (file for path in unneeded if not path.is_symlink() for file in (path, *path.rglob("*")))
    files = [file.stat() for file in found if file.is_file()]
    names = Counter((file.st_dev, file.st_ino) for file in files)
    whole = [file for file in files if names[file.st_dev, file.st_ino] >= file.st_nlink]
    return sum({(file.st_dev, file.st_ino): file.st_size for file in whole}.values())


def _unneeded(store: Store, history: RunHistory, models: Path, keep: int) -> list[Path]:
    """Files and folders that are not needed; records are the last ones, so that a stopped `clean` can be repeated."""
    records = history.records()
    # A run may have promoted its model to another registry.
    promotions = _promotions({models, *(record.models for record in records)})
    exported = store.root.glob(f"artifacts/export-*/{PAYLOAD}/{MANIFEST}")
    bundles = {manifest.parent.parent.name: sha256_file(manifest) for manifest in exported}
    needed = find_needs(records, bundles, promotions, keep)
    dropped = {record.run for record in records} - needed.runs
    old_records = [history.file(record.run) for record in records if record.run not in needed.records]
    return [
        *_artifacts(store, records, needed),
        *_reports(store, dropped),
        *_drawings(store, records, needed),
        *comparisons_with_runs(store.root, dropped),
        *([] if needed.unfinished else entries(store.root / ".staging")),
        *old_records,
    ]


def _artifacts(store: Store, records: Sequence[Record], needed: Needs) -> Iterator[Path]:
    named = {artifact for record in records for artifact in record.artifacts}
    for entry in entries(store.root / "artifacts"):
        if store.by_name(entry.name) is None:
            if is_half_removed(entry):
                yield entry
        elif entry.name not in needed.artifacts and not (needed.unfinished and entry.name not in named):
            yield entry


def _reports(store: Store, dropped: set[str]) -> Iterator[Path]:
    """Logs, cards, pictures and TensorBoard files of the dropped runs, and hidden files."""
    for folder in ("logs", "reports", TENSORBOARD_FOLDER, "history"):
        for entry in entries(store.root / folder):
            # No run is in progress, so hidden files are those of a killed one.
            hidden = entry.name.startswith(".") and entry != DrawingCache.of(store.root).folder
            if hidden or (folder != "history" and entry.stem.partition("-")[0] in dropped):
                yield entry


def _drawings(store: Store, records: Sequence[Record], needed: Needs) -> list[Path]:
    """Drawings in the cache that no kept run shows: the next run would have to draw the others again."""
    with_card = [record for record in records if record.run in needed.runs]
    keys = needed_drawings(with_card, [record for record in records if record.run in needed.records], store)
    return [file for file in entries(DrawingCache.of(store.root).folder) if file.name.partition("-")[0] not in keys]


def _promotions(registries: set[Path]) -> Promotions:
    """The bundles in the registries, also those that only a pointer or an event names, and the runs behind them."""
    bundles: set[str] = set()
    evidence: set[tuple[str, str]] = set()
    for models in registries:
        bundles |= {sha256_file(manifest) for manifest in models.glob(f"*/[0-9]*/{MANIFEST}")}
        for model in Registry(models).models():
            # The version of a damaged pointer is unknown; the model's versions are in the folder.
            with contextlib.suppress(BundleError):
                promoted = Registry(models).promoted(model)
                bundles |= set() if promoted is None else {promoted.sha256}
            events = Registry(models).promotion_events(model).events
            evidence |= {(event.evidence.run, event.bundle_sha256) for event in events}
    return Promotions(frozenset(bundles), frozenset(evidence))
