"""A slice of a set that TFDS keeps as records: TFRecord files -> decoded images and labels."""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from components.sources.resize import resize_tensor
from components.sources.source import Images, Labels, Slice
from serving.errors import InputError
from serving.parallel import in_order

if TYPE_CHECKING:
    import tensorflow as tf

Offsets = npt.NDArray[np.int64]

# Images that are decoded in one call of a graph, in which each has its own operation: a loop in the graph takes half as
# long again, and larger graphs gain nothing. Of large images only so many as have so many bytes.
DECODE_ROWS = 200
DECODE_BYTES = 1 << 23
READ_BYTES = 1 << 18
# Of images of which a set does not say how large they are.
USUAL_SIDE = 512
# One more than usual processors: while one reads, two decode.
THREADS = 3
# Before a record: its length and a checksum of that; after it, a checksum of its own.
LENGTH = struct.Struct("<Q4x")
AROUND_BYTES = LENGTH.size + 4


class Run(NamedTuple):
    """Records that follow each other.

    Attributes:
        file: of TFRecords.
        offset_bytes: where the first one begins.
        records: how many, 1 or more.
    """

    file: str
    offset_bytes: int
    records: int


@dataclass(frozen=True)
class Encoding:
    """How images stand in records.

    Attributes:
        image_key: the feature that is the image, encoded as PNG, JPEG, BMP or GIF.
        label_key: the feature that is the label, int64.
        shape: (height, width, channels) as the set declares it; height and width are None where they vary.
        resize: height and width that every image gets; None where it has the declared ones.
    """

    image_key: str
    label_key: str
    shape: tuple[int | None, int | None, int]
    resize: tuple[int, int] | None

    @property
    def rows_at_once(self) -> int:
        """How many images are decoded in one call."""
        return max(1, min(DECODE_ROWS, DECODE_BYTES // math.prod(extent or USUAL_SIDE for extent in self.shape)))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Of every image, after it was resized."""
        height, width = self.resize or self.shape[:2]
        if height is None or width is None:
            raise ValueError(f"images of shape {self.shape} are resized")
        return height, width, self.shape[2]


@dataclass(frozen=True)
class RecordSlice(Slice):
    """Attributes:
    runs: of records, in order, each decoded at once.
    encoding: how images stand in them.
    """

    runs: tuple[Run, ...]
    encoding: Encoding

    def read(self) -> tuple[Images, Labels]:
        """Images, uint8 (n, h, w, c), and labels, int64 (n,), in the order of the records."""
        import tensorflow as tf

        rows = sum(run.records for run in self.runs)
        images = np.empty((rows, *self.encoding.image_shape), np.uint8)
        labels = np.empty(rows, np.int64)
        done = 0
        try:
            decode = _decoder(self.encoding)
            for pixels, numbers in in_order(lambda run: decode(*run), self.runs, THREADS):
                images[done : done + len(numbers)], labels[done : done + len(numbers)] = pixels.numpy(), numbers.numpy()
                done += len(numbers)
        except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
            raise _damaged([run.file for run in self.runs], _why(error)) from error
        if done != rows:
            raise _damaged([run.file for run in self.runs], f"{done:,} records instead of {rows:,}")
        return images, labels


def _damaged(files: Iterable[str], why: str) -> InputError:
    said = ", ".join(dict.fromkeys(files))
    return InputError(f"{said} cannot be read ({why}): delete the set's folder and prepare it again")


def find_offsets(file: str, records: int) -> Offsets:
    """int64 (records,): where each record of a file of TFRecords begins; nothing but their lengths is looked at.

    Raises:
        InputError: the file does not hold so many, or cannot be read.
    """
    try:
        offsets = np.fromiter(islice(_offsets(file), records), np.int64)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}: make it readable") from error
    if len(offsets) < records:
        raise _damaged([file], f"{len(offsets):,} records instead of {records:,}")
    return offsets


def cut_runs(file: str, offsets: Offsets, most: int) -> list[Run]:
    """Cuts records of a file that follow each other into runs of so many, the last one smaller."""
    return [Run(file, int(offsets[start]), min(most, len(offsets) - start)) for start in range(0, len(offsets), most)]


def _offsets(file: str) -> Iterator[int]:
    """Where each whole record of a file begins."""
    size = os.path.getsize(file)
    offset = 0
    with open(file, "rb", buffering=READ_BYTES) as stream:
        while len(head := stream.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            if offset + AROUND_BYTES + length > size:
                return
            yield offset
            offset += AROUND_BYTES + length
            stream.seek(offset)


def _why(error: tf.errors.OpError) -> str:
    """What TensorFlow says last, without the names of its nodes."""
    lines = re.sub(r"\{\{.*?\}\}|\[\[.*|\[Op:.*", "", str(error.message)).splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), type(error).__name__)


@cache
def _decoder(encoding: Encoding) -> Callable[[str, int, int], tuple[tf.Tensor, tf.Tensor]]:
    """A run of records -> images and labels; traced once for all slices of a set."""
    import tensorflow as tf

    features = {
        encoding.image_key: tf.io.FixedLenFeature((), tf.string),
        encoding.label_key: tf.io.FixedLenFeature((), tf.int64),
    }

    def decode(file: tf.Tensor, offset: tf.Tensor, records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # TFRecordDataset itself begins at the file's first record, and would read all that it skips.
        variant = tf.raw_ops.TFRecordDatasetV2(
            filenames=[file], compression_type="", buffer_size=READ_BYTES, byte_offsets=[offset]
        )
        read = tf.data.experimental.from_variant(variant, tf.TensorSpec((), tf.string))
        parsed = tf.io.parse_example(read.take(records).batch(encoding.rows_at_once).get_single_element(), features)
        encoded = parsed[encoding.image_key]
        if None in encoding.shape:
            pixels = _one_by_one(encoded, encoding)
        else:
            png = tf.reduce_all(tf.strings.substr(encoded, 0, 4) == b"\x89PNG")
            pixels = tf.cond(png, lambda: _side_by_side(encoded, encoding), lambda: _one_by_one(encoded, encoding))
        return pixels, parsed[encoding.label_key]

    scalars = [tf.TensorSpec((), dtype) for dtype in (tf.string, tf.int64, tf.int64)]
    traced: Callable[[str, int, int], tuple[tf.Tensor, tf.Tensor]] = tf.function(
        decode, input_signature=scalars, autograph=False
    )
    return traced


def _side_by_side(encoded: tf.Tensor, encoding: Encoding) -> tf.Tensor:
    """PNG images of the declared shape."""
    import tensorflow as tf

    rows, most = tf.shape(encoded)[0], encoding.rows_at_once
    # A graph has a fixed number of operations: a last, smaller batch is filled up with its first image.
    whole = tf.ensure_shape(tf.concat([encoded, tf.repeat(encoded[:1], most - rows)], 0), (most,))
    pixels = [
        tf.ensure_shape(tf.io.decode_png(one, encoding.shape[2]), encoding.shape) for one in tf.unstack(whole, most)
    ]
    stacked = tf.stack(pixels)[:rows]
    return stacked if encoding.resize is None else resize_tensor(stacked, encoding.resize)


def _one_by_one(encoded: tf.Tensor, encoding: Encoding) -> tf.Tensor:
    """Images of any format and size."""
    import tensorflow as tf

    channels = encoding.shape[2]

    def decode(one: tf.Tensor) -> tf.Tensor:
        pixels = tf.cond(
            tf.io.is_jpeg(one),
            # Other decoders, such as the scorer's, take the exact transform; TensorFlow's own choice is a faster one.
            lambda: tf.io.decode_jpeg(one, channels, dct_method="INTEGER_ACCURATE"),
            lambda: tf.io.decode_image(one, channels, expand_animations=False),
        )
        shaped = tf.ensure_shape(pixels, encoding.shape)
        return shaped if encoding.resize is None else resize_tensor(shaped, encoding.resize)

    return tf.map_fn(decode, encoded, fn_output_signature=tf.TensorSpec(encoding.image_shape, tf.uint8))
