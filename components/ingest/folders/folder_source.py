"""FolderSource: pictures in a folder for each class: `--dataset folder:PATH`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.ingest.digest_cache import content_digest
from components.ingest.folders.class_folders import SPLIT_NAMES, ClassFolders, Picture, find_pictures
from components.ingest.folders.folder_block_reader import FolderBlockReader
from components.ingest.folders.inspection import Inspection
from components.ingest.local_path import existing_path
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.slicing import cut_blocks, select_rows
from components.ingest.source import LocalSource
from serving.batch.decoding.background import require_fit
from serving.batch.folders.picture_header import PictureHeader
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# Largest number of folders that a message lists.
MAX_LISTED = 5


@dataclass(frozen=True)
class FolderSource(LocalSource):
    """Pictures in `<class>/` or `<split>/<class>/`."""

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the pictures and their names, the classes that have none, and the files left out."""
        root = existing_path(self.path)
        found = find_pictures(root)
        digest = content_digest(root, found.paths, self.digest_cache, digests=Inspection(root, found.paths).digests)
        # Hidden files and those of systems come and go.
        left_out = {kind: count for kind, count in found.left_out.items() if kind.startswith((".", "without"))}
        return {"content": digest, "empty classes": json.dumps(found.empty_classes), "left out": json.dumps(left_out)}

    def prepare(self) -> None:
        """Checks the layout of the folder. Raises: InputError."""
        find_pictures(existing_path(self.path))

    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Reads the headers of the selected pictures, without decoding them."""
        root = existing_path(self.path)
        found = find_pictures(root)
        _require_classes(options, found, root)
        _require_splits(options, found, root)
        selected = select_rows(options, {split: len(rows) for split, rows in found.splits.items()}, shown(root))
        paths = [picture.path for ranges in selected.values() for picture in found.pictures(ranges)]
        inspection = Inspection(root, found.paths)
        version = content_digest(root, found.paths, self.digest_cache, digests=inspection.digests)[:12]
        shape = _image_shape(inspection.headers(paths).values(), options.resize)
        background = options.colour
        if background is not None:
            require_fit(background, shape[2])
        return ReadPlan(
            dataset=f"folder:{self.name}",
            version=version,
            class_names=found.class_names,
            image_shape=shape,
            left_out=found.left_out,
            readers=tuple(
                FolderBlockReader(
                    split,
                    index,
                    root,
                    *_columns(found.pictures(block)),
                    shape,
                    options.resize is not None,
                    background,
                    inspection.small,
                )
                for split, ranges in selected.items()
                for index, block in enumerate(cut_blocks(ranges, options.rows_per_block(shape)))
            ),
        )


def _columns(pictures: Sequence[Picture]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return tuple(picture.path for picture in pictures), tuple(picture.label for picture in pictures)


def _require_classes(options: ReadOptions, found: ClassFolders, root: Path) -> None:
    if options.classes not in (None, len(found.class_names)):
        raise InputError(
            f"--ingest.classes {options.classes}: {shown(root)} has {len(found.class_names)} class folders: "
            "omit the option, or add the folders"
        )


def _require_splits(options: ReadOptions, found: ClassFolders, root: Path) -> None:
    """Refuses folders of folders that are not splits, unless the user names them as such. Raises: InputError."""
    splits = list(found.splits)
    if options.train_split or options.test_split or any(split.lower() in SPLIT_NAMES for split in splits):
        return
    raise InputError(
        f"{shown(root)} holds {', '.join(splits[:MAX_LISTED])}{', …' if len(splits) > MAX_LISTED else ''}, which hold "
        f"folders of pictures and have no names of splits: give one of them, e.g. folder:{shown(root / splits[0])}, or "
        "say which are the splits with --ingest.train-split and --ingest.test-split"
    )


def _image_shape(found: Iterable[PictureHeader | None], resize: tuple[int, int] | None) -> tuple[int, int, int]:
    """The shape of all images, from the headers of the pictures: the most frequent size, unless they are resized.

    Pictures of another size, and those without a readable header, are found by decoding.
    """
    headers = [header for header in found if header is not None]
    sizes = Counter((header.height, header.width) for header in headers)
    # If no header can be read, no picture can be decoded, and any shape will do.
    ((size, _),) = sizes.most_common(1) or [((1, 1), 0)]
    return *(resize or size), 3 if any(header.coloured for header in headers) else 1
