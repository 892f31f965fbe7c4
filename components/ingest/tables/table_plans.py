"""Tables and their columns -> the plan to read their images in blocks."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.npy_writer import write_array
from components.ingest.arrays.array_location import UnpackedArray
from components.ingest.arrays.array_plan import plan_arrays
from components.ingest.arrays.array_split import ArraySplit
from components.ingest.arrays.class_names import count_classes
from components.ingest.folders.picture_pool import SMALL_BYTES, start_processes
from components.ingest.folders.picture_sizes import image_shape
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.row_order import require_mixed_classes
from components.ingest.slicing import select_rows
from components.ingest.tables.label_values import LabelledClasses
from components.ingest.tables.packed_block_reader import PackedBlockReader
from components.ingest.tables.unpacked_tables import SplitPictures, Tables, unpack_pictures, unpack_pixels
from serving.batch.decoding.background import require_fit
from serving.batch.inputs.npy import HEAD_BYTES, read_layout
from serving.batch.inputs.open_file import shown
from serving.batch.tables.columns import LABEL_NAMES, TableColumns, listed, pixel_shape
from serving.batch.tables.picture_run import PictureRun
from serving.errors import InputError

TABLE_ADVICE = (
    "shuffle the rows, e.g. with pandas.read_csv(path).sample(frac=1, random_state=0).to_csv(path, index=False), or "
    "say which rows are for the test with --ingest.train-split and --ingest.test-split"
)
PLANES_ADVICE = (
    "columns of one colour after the other are not read: reorder the pixels of all rows, (n, 3·h·w), also of those to "
    "score, with rows.reshape(-1, 3, h, w).transpose(0, 2, 3, 1).reshape(len(rows), -1)"
)
# Neighbouring pixels of planes differ more than this many times as much if they are read as colours side by side,
# because these are three pixels apart; those of colours side by side differ less.
PLANES_RATIO = 1.1
SAMPLED_ROWS = 500
Rows = npt.NDArray[np.int64]

log = logging.getLogger("beamline.source")


def _log_unused(columns: TableColumns) -> None:
    """Names the columns that are not read."""
    if columns.unused:
        log.info("columns that are not read: %s", listed(columns.unused))


def plan_pixels(
    dataset: str, version: str, path: Path, tables: Tables, columns: TableColumns, options: ReadOptions, scratch: Path
) -> ReadPlan:
    """Unpacks the pixels of all tables. Raises: InputError: as `Source.plan`."""
    require_label(path, tables, columns)
    _log_unused(columns)
    if options.background is not None:
        raise InputError(
            f"--ingest.background {options.background} is for pictures, {shown(path)} holds pixels: omit the option"
        )
    shape = _shape(path, len(columns.pixels), options.image_shape)
    unpacked = unpack_pixels(path, tables, columns, scratch)
    splits: dict[str, ArraySplit] = {}
    for split, file in unpacked.files.items():
        labels = file.with_suffix(".labels.npy")
        write_array(labels, unpacked.classes.labels[split])
        splits[split] = ArraySplit(
            UnpackedArray(path / split, file, "images"),
            UnpackedArray(path / split, labels, "labels"),
            len(unpacked.classes.labels[split]),
            shape,
            (np.dtype(np.uint8), np.dtype(np.int64)),
        )

    _require_side_by_side(path, next(iter(unpacked.files.values())), shape)
    if options.train_split is None and options.test_split is None and len(splits) == 1:
        require_mixed_classes(path, unpacked.classes.labels.values(), TABLE_ADVICE)

    def class_names(trained: Sequence[UnpackedArray]) -> tuple[str, ...]:
        return unpacked.classes.class_names or tuple(map(str, range(options.classes or count_classes(trained))))

    return plan_arrays(dataset, version, path, splits, options, class_names)


def _require_side_by_side(path: Path, file: Path, shape: tuple[int, int, int]) -> None:
    """Refuses coloured pixels that look like planes, one colour after the other. Raises: InputError."""
    height, width, channels = shape
    if channels != 3 or min(height, width) < 2:
        return
    with file.open("rb") as opened:
        layout = read_layout(opened.read(HEAD_BYTES))
        opened.seek(layout.offset_bytes)
        count = min(layout.shape[0], SAMPLED_ROWS) * math.prod(shape)
        rows = np.fromfile(opened, layout.dtype, count).astype(np.int16)
    side_by_side = rows.reshape(-1, height, width, 3)
    planes = rows.reshape(-1, 3, height, width).transpose(0, 2, 3, 1)
    as_given, as_planes = _roughness(side_by_side), _roughness(planes)
    if as_given > PLANES_RATIO * as_planes:
        raise InputError(f"{shown(path)}: its pixels look like planes: {PLANES_ADVICE}")


def _roughness(images: npt.NDArray[np.int16]) -> float:
    """The mean difference between neighbours, side by side and one above the other; (n, h, w, c)."""
    return float(np.abs(np.diff(images, axis=1)).mean() + np.abs(np.diff(images, axis=2)).mean())


def plan_packed_pictures(
    dataset: str, version: str, path: Path, tables: Tables, columns: TableColumns, options: ReadOptions, scratch: Path
) -> ReadPlan:
    """Copies the pictures of all tables into the scratch folder. Raises: InputError: as `Source.plan`."""
    require_label(path, tables, columns)
    _log_unused(columns)
    splits, classes = unpack_pictures(path, tables, columns, scratch)
    return plan_pictures_in_files(dataset, version, path, splits, classes, options)


def plan_pictures_in_files(
    dataset: str,
    version: str,
    path: Path,
    splits: Mapping[str, SplitPictures],
    classes: LabelledClasses,
    options: ReadOptions,
    declared: tuple[int, int, int] | None = None,
) -> ReadPlan:
    """Plans the blocks of pictures that lie in files.

    Args:
        dataset: the set's name.
        version: its version, or a digest of its content.
        path: its file or folder, for messages.
        splits: the pictures of each split.
        classes: their labels.
        options: which rows to read, and how.
        declared: the shape of every image, if the set declares it; by default that of the pictures.

    Raises: InputError: as `Source.plan`.
    """
    counts = {name: len(split.places) for name, split in splits.items()}
    selected = select_rows(options, counts, shown(path))
    orders = {name: _order(rows, len(counts) == 1) for name, rows in counts.items()}
    chosen = [(name, orders[name][start:stop]) for name, start, stop in selected.ranges]
    headers = (splits[name].headers[row] for name, rows in chosen for row in rows.tolist())
    shape = declared or image_shape(headers, options.resize)
    if options.colour is not None:
        require_fit(options.colour, shape[2])
    small = _mean_bytes(splits) <= SMALL_BYTES
    if small:
        start_processes(sum(counts.values()))
    learning = [classes.labels[name][orders[name][start:stop]] for name, start, stop in selected.learning]
    rows_per_block = options.rows_per_block(shape)
    return ReadPlan(
        dataset=dataset,
        version=version,
        class_names=_class_names(classes, np.concatenate(learning), options),
        image_shape=shape,
        readers=tuple(
            PackedBlockReader(
                split,
                index,
                tuple(_run(name, splits[name], orders[name][start:stop]) for name, start, stop in block),
                np.concatenate([classes.labels[name][orders[name][start:stop]] for name, start, stop in block]),
                shape,
                options.resize is not None,
                options.colour,
                small,
            )
            for split, index, block in selected.blocks(rows_per_block)
        ),
        validation_blocks=selected.validation_blocks(rows_per_block),
    )


def _order(rows: int, only: bool) -> Rows:
    """The order of the rows of a split. The only split is mixed, because it is cut, and may be sorted by class."""
    # The only generator of numpy whose numbers never change.
    return np.random.RandomState(0).permutation(rows) if only else np.arange(rows)


def _run(split: str, pictures: SplitPictures, rows: Rows) -> PictureRun:
    return PictureRun(split, pictures.file, pictures.places[rows], rows)


def _mean_bytes(splits: Mapping[str, SplitPictures]) -> float:
    sizes = np.concatenate([split.places[:, 1] for split in splits.values()])
    return float(sizes.mean())


def require_label(path: Path, tables: Tables, columns: TableColumns) -> None:
    """Refuses tables without a label. Raises: InputError."""
    if columns.label is None:
        names = [column.name for column in next(iter(tables.values()))[0].columns]
        name = columns.unused[0] if len(columns.unused) == 1 else "NAME"
        raise InputError(
            f"{shown(path)} has the columns {listed(names)}, none of them named {', '.join(LABEL_NAMES)}: say which "
            f"one holds the labels with --ingest.label-column {name}"
        )


def _shape(path: Path, pixels: int, given: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """Height, width and channels of images with this number of pixels and channels. Raises: InputError."""
    square = pixel_shape(pixels)
    shape = given or (None if square is None else (*square, 1))
    if given is not None and given[0] == 3 and given[2] not in (1, 3):
        raise InputError(f"--ingest.image-shape {' '.join(map(str, given))}: {PLANES_ADVICE}")
    if shape is None or math.prod(shape) != pixels:
        found = "no grey square" if given is None else f"not those of --ingest.image-shape {' '.join(map(str, given))}"
        side = pixel_shape(pixels // 3)
        example = f"{side[0]} {side[1]} 3" if side is not None and pixels % 3 == 0 else "HEIGHT WIDTH CHANNELS"
        raise InputError(
            f"{shown(path)} has {pixels:,} columns of pixels, {found}: give --ingest.image-shape {example}, the "
            f"order of the columns: the colours of a pixel side by side, pixels row by row; {PLANES_ADVICE}"
        )
    return shape


def _class_names(classes: LabelledClasses, trained: Rows, options: ReadOptions) -> tuple[str, ...]:
    """The names in the file, or else the labels as text."""
    if classes.class_names is not None:
        return classes.class_names
    return tuple(map(str, range(options.classes or max(0, int(trained.max())) + 1)))
