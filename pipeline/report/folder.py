"""runs/reports/<run>: the pictures of a run, drawn, or taken over from a run that drew the same."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.report.payloads import Payloads
from pipeline.report.pictures import PICTURES
from serving.files import fsync_folder, fsync_tree, sha256_file, write_json

# Beside the pictures: the identity of each, and the SHA-256 of its bytes.
INDEX = "pictures.json"


def write_pictures(run: str, payloads: Payloads) -> Path | None:
    """Writes every picture whose artifacts were made, all of them or none.

    Args:
        run: the run's name, which becomes the folder's.
        payloads: the run's artifacts; the pictures come beside them.

    Returns:
        The folder of the pictures; None where there is none.

    Raises:
        BeamlineError: an artifact is not as it was committed.
    """
    wanted = [picture for picture in PICTURES if picture.artifacts.keys() <= payloads.digests.keys()]
    if not wanted:
        return None
    identities = {picture.file: picture.identity(payloads) for picture in wanted}
    reports = payloads.store.root / "reports"
    reports.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{run}.", dir=reports) as staging:
        # A folder in the folder: the outer one is for its owner alone.
        staged = Path(staging, run)
        staged.mkdir()
        drawn = _find_drawn(reports, identities)
        for file in drawn:
            _take_over(drawn[file], staged / file)
        for picture in wanted:
            if picture.file not in drawn:
                picture.draw(payloads, staged / picture.file)
        index = {file: {"identity": identities[file], "sha256": sha256_file(staged / file)} for file in identities}
        write_json(staged / INDEX, index)
        fsync_tree(staged)
        target = reports / run
        shutil.rmtree(target, ignore_errors=True)
        os.replace(staged, target)
    fsync_folder(reports)
    return target


def _find_drawn(reports: Path, identities: Mapping[str, str]) -> dict[str, Path]:
    """Files of earlier runs that are what would be drawn now, by the picture's name; whole ones only."""
    found: dict[str, Path] = {}
    # The newest first, as good as always: mostly it has everything.
    for folder in sorted((entry for entry in reports.iterdir() if entry.is_dir()), reverse=True):
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
