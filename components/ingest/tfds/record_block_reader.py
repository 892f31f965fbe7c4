"""RecordBlockReader: reads one block from the TFRecord files of a prepared set."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.ingest.bad_rows import BadRow, bad_row
from components.ingest.read_plan import BlockReader, Images, Labels, Part, part_without
from components.ingest.tfds.record_encoding import RecordEncoding
from components.ingest.tfds.record_files import READ_BYTES, RecordRun, damaged_error
from serving.batch.decoding import png
from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture_error import PictureError
from serving.parallel import map_in_order

if TYPE_CHECKING:
    import tensorflow as tf

# Of file, offset in bytes and number of records: images, uint8 (n, h, w, c), if all are plain PNG files, else none; the
# encoded images, strings (n,), if any is not, else none; and labels, int64 (n,).
RecordDecoder = Callable[[str, int, int], "tuple[tf.Tensor, tf.Tensor, tf.Tensor]"]
# The index in a run, and the error, of each image that cannot be used.
Errors = list[tuple[int, PictureError]]
# One more than the usual number of processors: while one thread reads, two decode.
THREADS = 3
# By number of channels, depth and colour type of a PNG file that stores the pixels themselves.
PLAIN = {1: b"\x08\x00", 2: b"\x08\x04", 3: b"\x08\x02", 4: b"\x08\x06"}
# Where in a PNG file these two bytes are, and the kind of the chunk after the header: if it holds the pixels, then no
# chunk makes a colour transparent.
PLAIN_AT, CHUNK_AT, HEAD_BYTES = 24, 37, 41


@dataclass(frozen=True)
class RecordBlockReader(BlockReader):
    """Records of one block.

    Attributes:
        runs: runs of records, in order; each run is decoded in one call.
        encoding: how images and labels are stored in the records.
    """

    runs: tuple[RecordRun, ...]
    encoding: RecordEncoding

    def read_parts(self) -> Iterator[Part]:
        """Decodes the records of each run: images, uint8 (m, h, w, c), and labels, int64 (m,)."""
        import tensorflow as tf

        rows = sum(run.records for run in self.runs)
        done = 0
        try:
            for run, (pixels, labels, errors) in zip(
                self.runs, map_in_order(self._read, self.runs, THREADS), strict=True
            ):
                yield part_without(pixels, labels, [i for i, _ in errors], self._bad_rows(run, done, errors))
                done += len(labels)
        except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
            raise damaged_error([run.file for run in self.runs], _reason(error)) from error
        if done != rows:
            raise damaged_error([run.file for run in self.runs], f"{done:,} records instead of {rows:,}")

    def _bad_rows(self, run: RecordRun, first_row: int, errors: Errors) -> list[BadRow]:
        file, shape = os.path.basename(run.file), self.encoding.image_shape
        return [bad_row(file, run.first + i, first_row + i, error, shape) for i, error in errors]

    def _read(self, run: RecordRun) -> tuple[Images, Labels, Errors]:
        """Images and labels of all records of a run, and the index and error of each one that cannot be used."""
        import tensorflow as tf

        try:
            pixels, encoded, labels = _call(_record_decoder(self.encoding), run)
        except tf.errors.InvalidArgumentError:
            # An image is damaged. The scorer's decoder tells which one, and how.
            pixels, encoded, labels = _call(_record_decoder(self.encoding, quickly=False), run)
        if not len(encoded):
            return pixels, labels, []
        # The scorer's decoder refuses what it would have to convert.
        images = np.empty((len(encoded), *self.encoding.image_shape), np.uint8)
        resizing = self.encoding.resize is not None
        return images, labels, decode_all(encoded.tolist(), images, resizing, self.encoding.background)


def _call(decode: RecordDecoder, run: RecordRun) -> tuple[Images, npt.NDArray[np.object_], Labels]:
    pixels, encoded, labels = (tensor.numpy() for tensor in decode(run.file, run.offset_bytes, run.records))
    return pixels, encoded, labels


def _reason(error: tf.errors.OpError) -> str:
    """The last line of TensorFlow's message, without the names of its nodes."""
    lines = re.sub(r"\{\{.*?\}\}|\[\[.*|\[Op:.*", "", str(error.message)).splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), type(error).__name__)


@cache
def _record_decoder(encoding: RecordEncoding, quickly: bool = True) -> RecordDecoder:
    """The decoder of a set, which decodes plain PNG files if it is quick; it is traced once for all its blocks."""
    import tensorflow as tf

    features = {
        encoding.image_key: tf.io.FixedLenFeature((), tf.string),
        encoding.label_key: tf.io.FixedLenFeature((), tf.int64),
    }
    none = tf.zeros((0, *encoding.image_shape), tf.uint8)

    def decode(file: tf.Tensor, offset: tf.Tensor, records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        # The public TFRecordDataset always reads from the first record of a file.
        variant = tf.raw_ops.TFRecordDatasetV2(
            filenames=[file], compression_type="", buffer_size=READ_BYTES, byte_offsets=[offset]
        )
        read = tf.data.experimental.from_variant(variant, tf.TensorSpec((), tf.string))
        parsed = tf.io.parse_example(read.take(records).batch(encoding.rows_per_call).get_single_element(), features)
        encoded, labels = parsed[encoding.image_key], parsed[encoding.label_key]
        if not quickly or encoding.shape != encoding.image_shape:
            return none, encoded, labels
        pixels, others = tf.cond(
            _are_plain(encoded, encoding),
            lambda: (_decode_png(encoded, encoding), encoded[:0]),
            lambda: (none, encoded),
        )
        return pixels, others, labels

    scalars = [tf.TensorSpec((), dtype) for dtype in (tf.string, tf.int64, tf.int64)]
    traced: RecordDecoder = tf.function(decode, input_signature=scalars, autograph=False)
    return traced


def _are_plain(encoded: tf.Tensor, encoding: RecordEncoding) -> tf.Tensor:
    """Whether all images are PNG files that store the pixels as the set declares them: any decoder gives the same."""
    import tensorflow as tf

    # `substr` refuses positions behind the end of a string.
    head = tf.strings.join([tf.strings.substr(encoded, 0, HEAD_BYTES), b"\0" * HEAD_BYTES])

    def has(position: int, expected: bytes) -> tf.Tensor:
        return tf.reduce_all(tf.strings.substr(head, position, len(expected)) == expected)

    plain = has(0, png.MAGIC) & has(PLAIN_AT, PLAIN[encoding.shape[2]])
    # Pixels with an opacity of their own have no transparent colour, so other chunks may follow the header.
    return plain if encoding.shape[2] in (2, 4) else plain & has(CHUNK_AT, b"IDAT")


def _decode_png(encoded: tf.Tensor, encoding: RecordEncoding) -> tf.Tensor:
    """Decodes PNG images of the declared shape, with an operation for each."""
    import tensorflow as tf

    rows, size = tf.shape(encoded)[0], encoding.rows_per_call
    # A graph has a fixed number of operations: a smaller last batch is padded with its first image.
    padded = tf.ensure_shape(tf.concat([encoded, tf.repeat(encoded[:1], size - rows)], 0), (size,))
    pixels = [
        tf.ensure_shape(tf.io.decode_png(one, encoding.shape[2]), encoding.shape) for one in tf.unstack(padded, size)
    ]
    return tf.stack(pixels)[:rows]
