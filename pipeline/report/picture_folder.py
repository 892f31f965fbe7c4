"""runs/reports/<run>: the pictures of a run, each drawn once and linked from the cache."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

from pipeline.records.run_artifacts import RunArtifacts
from pipeline.report.drawings.drawing_cache import DrawingCache
from pipeline.report.figures.figure_list import PICTURES
from serving.files import fsync_path, fsync_tree, staged_folder


def write_pictures(run: RunArtifacts) -> Path | None:
    """Writes every picture whose artifacts were made: all of them or none.

    Returns: the folder, which has the run's name; None if there is nothing to draw.
    Raises: BeamlineError: an artifact was deleted, was changed, or cannot be read.
    """
    pictures = [picture for picture in PICTURES if picture.possible(run)]
    if not pictures:
        return None
    cache = DrawingCache.of(run.store.root)
    reports, name = run.store.root / "reports", run.record.run
    reports.mkdir(exist_ok=True)
    with staged_folder(reports / name) as staged:
        for picture in pictures:
            _link(cache.get(picture.identity(run), partial(picture.draw, run)), staged / picture.name)
        fsync_tree(staged)
        target = reports / name
        shutil.rmtree(target, ignore_errors=True)
        os.replace(staged, target)
    fsync_path(reports)
    return target


def _link(drawn: Path, target: Path) -> None:
    try:
        os.link(drawn, target)
    except OSError:
        # Not every file system has hard links.
        shutil.copyfile(drawn, target)
