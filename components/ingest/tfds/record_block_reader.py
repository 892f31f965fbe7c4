"""RecordBlockReader: reads one block from the TFRecord files of a prepared set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from components.ingest.read_plan import BlockReader, Images, Labels
from components.ingest.tfds.record_encoding import RecordEncoding
from components.ingest.tfds.record_files import READ_BYTES, RecordRun, damaged_error
from serving.batch.decoding import png
from serving.batch.decoding.many_pictures import decode_all
from serving.errors import InputError
from serving.parallel import map_in_order

if TYPE_CHECKING:
    import tensorflow as tf

# Of file, offset in bytes and number of records: images, uint8 (n, h, w, c), if all are plain PNG files, else none; the
# encoded images, strings (n,), if any is not, else none; and labels, int64 (n,).
RecordDecoder = Callable[[str, int, int], "tuple[tf.Tensor, tf.Tensor, tf.Tensor]"]
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

    def read_parts(self) -> Iterator[tuple[Images, Labels]]:
        """Decodes the records of each run: images, uint8 (m, h, w, c), and labels, int64 (m,)."""
        import tensorflow as tf

        rows = sum(run.records for run in self.runs)
        done = 0
        try:
            decode = _record_decoder(self.encoding)
            for pixels, numbers in map_in_order(lambda run: self._read(decode, run), self.runs, THREADS):
                yield pixels, numbers
                done += len(numbers)
        except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
            raise damaged_error([run.file for run in self.runs], _reason(error)) from error
        if done != rows:
            raise damaged_error([run.file for run in self.runs], f"{done:,} records instead of {rows:,}")

    def _read(self, decode: RecordDecoder, run: RecordRun) -> tuple[Images, Labels]:
        pixels, encoded, labels = (tensor.numpy() for tensor in decode(*run))
        return (_decode(encoded.tolist(), self.encoding, run) if len(encoded) else pixels), labels


def _decode(contents: Sequence[bytes], encoding: RecordEncoding, run: RecordRun) -> Images:
    """Decodes images with the scorer's decoder, which refuses what it would have to convert. Raises: InputError."""
    images = np.empty((len(contents), *encoding.image_shape), np.uint8)
    errors = decode_all(contents, images, resizing=encoding.resize is not None)
    if errors:
        raise InputError(
            f"{run.file} holds {len(errors):,} images that cannot be used, of the {len(contents):,} records from byte "
            f"{run.offset_bytes:,} on; the first of them {errors[0][1]}"
        )
    return images


def _reason(error: tf.errors.OpError) -> str:
    """The last line of TensorFlow's message, without the names of its nodes."""
    lines = re.sub(r"\{\{.*?\}\}|\[\[.*|\[Op:.*", "", str(error.message)).splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), type(error).__name__)


@cache
def _record_decoder(encoding: RecordEncoding) -> RecordDecoder:
    """The decoder of a set; it is traced once for all its blocks."""
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
        if encoding.resize is not None or None in encoding.shape:
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
