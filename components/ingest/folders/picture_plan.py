"""LabelledPictures -> the digest of their files, and the plan to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.ingest.digest_cache import content_digest
from components.ingest.folders.folder_block_reader import FolderBlockReader
from components.ingest.folders.inspection import Inspection
from components.ingest.folders.labelled_pictures import LabelledPictures, Picture
from components.ingest.folders.picture_sizes import image_shape
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.slicing import select_rows
from serving.batch.decoding.background import require_fit
from serving.batch.inputs.open_file import shown
from serving.errors import InputError


def picture_fingerprint(found: LabelledPictures, cache: Path | None) -> Mapping[str, str]:
    """The digest of the pictures and their names, the classes that have none, and the files left out."""
    inspection = Inspection(found.root, found.paths)
    digest = content_digest(found.root, found.paths, cache, digests=inspection.digests)
    # Hidden files and those of systems come and go.
    left_out = {kind: count for kind, count in found.left_out.items() if kind.startswith((".", "without"))}
    return {"content": digest, "empty classes": json.dumps(found.empty_classes), "left out": json.dumps(left_out)}


def plan_pictures(dataset: str, found: LabelledPictures, options: ReadOptions, cache: Path | None) -> ReadPlan:
    """Reads the headers of the selected pictures, without decoding them.

    Raises: InputError: as `Source.plan`.
    """
    root = found.root
    _require_classes(options, found)
    selected = select_rows(options, {split: len(rows) for split, rows in found.splits.items()}, shown(root))
    paths = [picture.path for picture in found.pictures(selected.ranges)]
    inspection = Inspection(root, found.paths)
    version = content_digest(root, found.paths, cache, digests=inspection.digests)[:12]
    shape = image_shape(inspection.headers(paths).values(), options.resize)
    if options.colour is not None:
        require_fit(options.colour, shape[2])
    rows = options.rows_per_block(shape)
    return ReadPlan(
        dataset=dataset,
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
                options.colour,
                inspection.small,
            )
            for split, index, block in selected.blocks(rows)
        ),
        validation_blocks=selected.validation_blocks(rows),
    )


def _columns(pictures: Sequence[Picture]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return tuple(picture.path for picture in pictures), tuple(picture.label for picture in pictures)


def _require_classes(options: ReadOptions, found: LabelledPictures) -> None:
    if options.classes not in (None, len(found.class_names)):
        raise InputError(
            f"--ingest.classes {options.classes}: {shown(found.root)} has {len(found.class_names)} classes: omit the "
            "option, or add what is missing"
        )
