"""FolderSource: pictures in a folder for each class: `--dataset folder:PATH`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.ingest.folders.class_folders import SPLIT_NAMES, find_pictures
from components.ingest.folders.class_pattern import find_by_pattern
from components.ingest.folders.labelled_pictures import LabelledPictures
from components.ingest.folders.picture_plan import picture_fingerprint, plan_pictures
from components.ingest.local_path import existing_path
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.source import LocalSource
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# Largest number of folders that a message lists.
MAX_LISTED = 5


@dataclass(frozen=True)
class FolderSource(LocalSource):
    """Pictures in `<class>/` or `<split>/<class>/`, or with the class in their names.

    Attributes:
        class_pattern: as in `ReadOptions`.
    """

    class_pattern: str | None = None

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the pictures and their names, the classes that have none, and the files left out."""
        return picture_fingerprint(self._find(), self.digest_cache)

    def prepare(self) -> None:
        """Checks the layout of the folder. Raises: InputError."""
        self._find()

    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Reads the headers of the selected pictures, without decoding them."""
        found = self._find()
        if self.class_pattern is None:
            _require_splits(options, found)
        return plan_pictures(f"folder:{self.name}", found, options, self.digest_cache)

    def _find(self) -> LabelledPictures:
        root = existing_path(self.path)
        return find_pictures(root) if self.class_pattern is None else find_by_pattern(root, self.class_pattern)


def _require_splits(options: ReadOptions, found: LabelledPictures) -> None:
    """Refuses folders of folders that are not splits, unless the user names them as such. Raises: InputError."""
    root, splits = found.root, list(found.splits)
    if options.train_split or options.test_split or any(split.lower() in SPLIT_NAMES for split in splits):
        return
    raise InputError(
        f"{shown(root)} holds {', '.join(splits[:MAX_LISTED])}{', …' if len(splits) > MAX_LISTED else ''}, which hold "
        f"folders of pictures and have no names of splits: give one of them, e.g. folder:{shown(root / splits[0])}, or "
        "say which are the splits with --ingest.train-split and --ingest.test-split"
    )
