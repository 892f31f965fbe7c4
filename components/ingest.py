"""Data set -> Examples: every image decoded once, in one Beam job, into blocks that the rest reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.artifacts.examples import SPLITS, Block, Examples, write_block
from components.beam import BeamOptions
from components.source import Source
from serving.errors import InputError
from serving.files import write_json

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_datasets as tfds

# Records that are parsed and decoded in one call of the graph.
DECODE_ROWS = 1000


@dataclass(frozen=True)
class Params:
    """What to read.

    Attributes:
        dataset: as TensorFlow Datasets names it, e.g. `mnist`.
        train_split: in TFDS's slicing syntax, e.g. `train[:80%]`.
        test_split: the same, for the rows that the gate looks at.
        block_rows: images a block.
        data_dir: where TFDS keeps prepared sets; None is its own default.
        manual_dir: the set's original files, taken instead of the network.
    """

    dataset: str = "mnist"
    train_split: str = "train"
    test_split: str = "test"
    block_rows: int = 10_000
    data_dir: Path | None = None
    manual_dir: Path | None = None

    def __post_init__(self) -> None:
        """Refuses blocks of nothing. Raises: InputError."""
        if self.block_rows < 1:
            raise InputError(f"--ingest.block-rows {self.block_rows}: give 1 or more")

    @property
    def source(self) -> Source:
        """The data set."""
        return Source(self.dataset, self.data_dir, self.manual_dir)


@dataclass(frozen=True)
class Slice:
    """The rows of one block, and where TFDS has them.

    Attributes:
        segments: (file of TFRecords, records to skip, records to take), in order.
        image_shape: (height, width, channels).
        image_key: the feature that is the image, encoded as PNG or JPEG.
        label_key: the feature that is the label.
    """

    split: str
    index: int
    segments: tuple[tuple[str, int, int], ...]
    image_shape: tuple[int, int, int]
    image_key: str
    label_key: str


def fingerprint(params: Params) -> dict[str, str] | None:
    """What the data are like outside of the store; None when they are not there yet."""
    return params.source.fingerprint()


def prepare(params: Params) -> None:
    """Brings the data where `fingerprint` and `run` find them."""
    params.source.prepare()


def run(params: Params, beam: BeamOptions, out: Path) -> Examples:
    """Decodes both splits into blocks; the rows of a split are in the order of its records, shard after shard.

    Raises:
        InputError: no such set or split, or a set that has no image of fixed shape with one label.
    """
    import apache_beam

    builder = params.source.builder()
    slices = [
        piece
        for split, wanted in zip(SPLITS, (params.train_split, params.test_split), strict=True)
        for piece in _slices(builder, split, wanted, params.block_rows)
    ]
    _require_apart(slices, params)
    beam.run(
        lambda pipeline: (
            pipeline
            | "slices" >> apache_beam.Create(slices, reshuffle=len(slices) > 1)
            | "decode" >> apache_beam.Map(decode_slice, out=out)
            | "gather" >> apache_beam.combiners.ToList()
            | "index" >> apache_beam.Map(_write_index, out=out)
        )
    )
    return Examples(
        path=out,
        dataset=builder.name if builder.builder_config is None else f"{builder.name}/{builder.builder_config.name}",
        version=str(builder.version),
        class_names=tuple(builder.info.features[slices[0].label_key].names),
        image_shape=slices[0].image_shape,
        blocks=_read_index(out),
    ).save()


def _require_apart(slices: list[Slice], params: Params) -> None:
    """Refuses a gate that would look at rows that were trained on. Raises: InputError."""
    train, test = ([s for piece in slices if piece.split == split for s in piece.segments] for split in SPLITS)
    for file, skip, take in test:
        for other, start, rows in train:
            if file == other and skip < start + rows and start < skip + take:
                raise InputError(
                    f"--ingest.test-split {params.test_split} and --ingest.train-split {params.train_split} share "
                    "rows: give slices that do not overlap"
                )


def cut(segments: list[tuple[str, int, int]], rows: int) -> list[tuple[tuple[str, int, int], ...]]:
    """Cuts a list of (file, skip, take) into pieces of so many rows, the last one smaller, in order."""
    pieces: list[tuple[tuple[str, int, int], ...]] = []
    piece: list[tuple[str, int, int]] = []
    room = rows
    for file, skip, take in segments:
        while take:
            used = min(take, room)
            piece.append((file, skip, used))
            skip, take, room = skip + used, take - used, room - used
            if room == 0:
                pieces.append(tuple(piece))
                piece, room = [], rows
    return [*pieces, tuple(piece)] if piece else pieces


def decode_slice(piece: Slice, out: Path) -> Block:
    """Decodes the rows of one block and writes it; done again, it writes the same bytes to the same place."""
    import tensorflow as tf

    rows = sum(take for _, _, take in piece.segments)
    images = np.empty((rows, *piece.image_shape), np.uint8)
    labels = np.empty(rows, np.int64)
    done = 0
    for decoded, numbers in _decoded(tf.data.Dataset.from_tensor_slices(_columns(piece)), piece):
        images[done : done + len(numbers)] = decoded
        labels[done : done + len(numbers)] = numbers
        done += len(numbers)
    if done != rows:
        raise InputError(f"{piece.segments} hold {done} records, TFDS says {rows}: prepare the set again")
    return write_block(out, piece.split, piece.index, images, labels)


def _columns(piece: Slice) -> tuple[list[str], np.ndarray, np.ndarray]:
    files, skips, takes = zip(*piece.segments, strict=True)
    return list(files), np.array(skips, np.int64), np.array(takes, np.int64)


def _decoded(segments: tf.data.Dataset, piece: Slice) -> Any:
    import tensorflow as tf

    features = {
        piece.image_key: tf.io.FixedLenFeature((), tf.string),
        piece.label_key: tf.io.FixedLenFeature((), tf.int64),
    }
    shape = piece.image_shape

    def decode_one(encoded: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(tf.io.decode_image(encoded, channels=shape[2], expand_animations=False), shape)

    def decode(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_example(records, features)
        pixels = tf.map_fn(decode_one, parsed[piece.image_key], fn_output_signature=tf.TensorSpec(shape, tf.uint8))
        return pixels, parsed[piece.label_key]

    records = segments.flat_map(lambda file, skip, take: tf.data.TFRecordDataset(file).skip(skip).take(take))
    batches = records.batch(DECODE_ROWS).map(decode, num_parallel_calls=2, deterministic=True).prefetch(2)
    return batches.as_numpy_iterator()


def _slices(builder: tfds.core.DatasetBuilder, split: str, wanted: str, block_rows: int) -> list[Slice]:
    shape, image_key, label_key = _described(builder)
    try:
        instructions = builder.info.splits[wanted].file_instructions
    except (KeyError, ValueError) as error:
        raise InputError(
            f"--ingest.{split}-split {wanted}: {builder.name} has the splits {', '.join(builder.info.splits)}: "
            "name one of these, with TFDS's slicing if wanted, e.g. 'train[:80%]'"
        ) from error
    segments = [(file.filename, file.skip, file.take) for file in instructions]
    if not segments or min(take for _, _, take in segments) < 1:
        raise InputError(f"--ingest.{split}-split {wanted} has no rows: give a slice that has some")
    return [
        Slice(split, index, piece, shape, image_key, label_key) for index, piece in enumerate(cut(segments, block_rows))
    ]


def _described(builder: tfds.core.DatasetBuilder) -> tuple[tuple[int, int, int], str, str]:
    """Shape of the image, and the names of the two features, where the set is one of classified images."""
    import tensorflow_datasets as tfds

    info = builder.info
    # A set that does not say which features belong together still leaves no choice where it has one of each.
    kinds: dict[Any, list[str]] = {tfds.features.Image: [], tfds.features.ClassLabel: []}
    for name, feature in info.features.items():
        for kind, names in kinds.items():
            names += [name] * isinstance(feature, kind)
    keys = info.supervised_keys or tuple(names[0] for names in kinds.values() if len(names) == 1)
    image, label = [info.features[key] for key in keys] if len(keys) == 2 else (None, None)
    if not isinstance(image, tfds.features.Image) or not isinstance(label, tfds.features.ClassLabel):
        raise InputError(f"--dataset {builder.name} is no set of images with one label each: give one that is")
    if None in image.shape or image.np_dtype != np.uint8:
        raise InputError(
            f"--dataset {builder.name} has images of shape {image.shape} and type {image.np_dtype.__name__}; "
            "give a set of uint8 images that all have one size"
        )
    if info.file_format is not tfds.core.FileFormat.TFRECORD:
        raise InputError(f"--dataset {builder.name} is stored as {info.file_format}: prepare it as TFRecord files")
    return image.shape, keys[0], keys[1]


def _write_index(blocks: list[Block], out: Path) -> None:
    ordered = sorted(blocks, key=lambda block: (block.split, block.index))
    write_json(out / "blocks.json", {"blocks": [asdict(block) for block in ordered]})


def _read_index(out: Path) -> dict[str, tuple[Block, ...]]:
    import json

    index = out / "blocks.json"
    blocks = [Block(**block) for block in json.loads(index.read_text(encoding="utf-8"))["blocks"]]
    index.unlink()
    return {split: tuple(b for b in blocks if b.split == split) for split in SPLITS}
