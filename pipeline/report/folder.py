"""runs/reports/<run>: the pictures of a run, drawn, or taken over from a run that drew the same."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.outcome import Made
from pipeline.report.pictures import PICTURES, Picture
from pipeline.store import Store
from serving.errors import BeamlineError
from serving.files import fsync_folder, fsync_tree, sha256_file, write_json

log = logging.getLogger("beamline.report")

# Beside the pictures: the identity of each, and the SHA-256 of its bytes.
INDEX = "pictures.json"


def report(run: str, made: Made, store: Store) -> Path | None:
    """Draws what there is to draw of a run. That it cannot be drawn is said, and is no failure of the run.

    Args:
        run: the run's name, which becomes the folder's.
        made: the outcomes of all steps.
        store: where the artifacts are; the pictures come beside them.

    Returns:
        The folder of the pictures; None where there is none.
    """
    try:
        return write_pictures(run, made, store)
    except Exception as error:
        log.debug("pictures of run %s", run, exc_info=True)
        why = str(error) if isinstance(error, BeamlineError) else f"{type(error).__name__}: {error}"
        log.warning("the pictures of run %s could not be drawn: %s", run, why)
        return None


def write_pictures(run: str, made: Made, store: Store) -> Path | None:
    """Writes every picture whose artifacts were made, all of them or none; as `report`, but raises what goes wrong.

    Raises:
        BeamlineError: an artifact is not as it was committed.
    """
    digests = {name: str(outcome.sha256) for name, outcome in made.items() if outcome.artifact is not None}
    wanted = [picture for picture in PICTURES if picture.artifacts.keys() <= digests.keys()]
    if not wanted:
        return None
    identities = {picture.file: picture.identity(digests) for picture in wanted}
    reports = store.root / "reports"
    reports.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{run}.", dir=reports) as staging:
        # A folder in the folder: the outer one is for its owner alone.
        staged = Path(staging, run)
        staged.mkdir()
        drawn = _find_drawn(reports, identities)
        for file in drawn:
            _take_over(drawn[file], staged / file)
        _draw([picture for picture in wanted if picture.file not in drawn], made, store, staged)
        index = {file: {"identity": identities[file], "sha256": sha256_file(staged / file)} for file in identities}
        write_json(staged / INDEX, index)
        fsync_tree(staged)
        target = reports / run
        shutil.rmtree(target, ignore_errors=True)
        os.replace(staged, target)
    fsync_folder(reports)
    return target


def _draw(pictures: list[Picture], made: Made, store: Store, staged: Path) -> None:
    """Draws from artifacts that are whole: a picture of a damaged one would be taken over ever after."""
    folders = {
        step: _whole_payload(step, store.root / "artifacts" / str(made[step].artifact), store)
        for step in sorted({step for picture in pictures for step in picture.artifacts})
    }
    for picture in pictures:
        picture.draw(folders, staged / picture.file)


def _whole_payload(step: str, folder: Path, store: Store) -> Path:
    stored = store.stored(folder)
    damage = "its record is gone" if stored is None else stored.damage()
    if stored is None or damage is not None:
        raise BeamlineError(
            f"the artifact of {step} is not as it was committed ({damage}): delete {folder} and run again"
        )
    return stored.path


def _find_drawn(reports: Path, identities: Mapping[str, str]) -> dict[str, Path]:
    """Files of earlier runs that are what would be drawn now, by the picture's name; whole ones only."""
    found: dict[str, Path] = {}
    # The newest first, as good as always: mostly it has everything.
    for folder in sorted(reports.iterdir(), reverse=True):
        for file, (identity, sha256) in _read_index(folder).items():
            if identity == identities.get(file) and _is_whole(folder / file, sha256):
                found[file] = folder / file
        if found.keys() == identities.keys():
            break
    return found


def _read_index(folder: Path) -> dict[str, tuple[str, str]]:
    """Identity and SHA-256 of each picture in a folder; empty where its index cannot be read."""
    try:
        said = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return {file: (entry["identity"], entry["sha256"]) for file, entry in said.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_whole(file: Path, sha256: str) -> bool:
    try:
        return sha256_file(file) == sha256
    except OSError:
        return False


def _take_over(drawn: Path, target: Path) -> None:
    try:
        os.link(drawn, target)
    except OSError:
        shutil.copyfile(drawn, target)
