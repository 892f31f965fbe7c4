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
from serving.batch.decoding.many_pictures import decode_all
from serving.parallel import map_in_order
from serving.resize import resize

if TYPE_CHECKING:
    import tensorflow as tf

# Of file, offset in bytes and number of records: images, uint8 (n, h, w, c), or encoded as in the records if they are
# resized; and labels, int64 (n,).
RecordDecoder = Callable[[str, int, int], "tuple[tf.Tensor, tf.Tensor]"]
# One more than the usual number of processors: while one thread reads, two decode.
THREADS = 3


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
        pixels, numbers = (tensor.numpy() for tensor in decode(*run))
        return (pixels if self.encoding.resize is None else _resized(pixels, self.encoding)), numbers


def _resized(contents: Sequence[bytes], encoding: RecordEncoding) -> Images:
    """Decodes encoded images with the scorer's decoder, so that it gets the same pixels from the same file.

    What it refuses, such as transparent pixels and other formats, TensorFlow decodes.
    """
    images = np.empty((len(contents), *encoding.image_shape), np.uint8)
    for row, _ in decode_all(contents, images, resizing=True):
        images[row] = resize(_decode(contents[row], encoding).numpy(), encoding.image_shape[:2])
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

    def decode(file: tf.Tensor, offset: tf.Tensor, records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # The public TFRecordDataset always reads from the first record of a file.
        variant = tf.raw_ops.TFRecordDatasetV2(
            filenames=[file], compression_type="", buffer_size=READ_BYTES, byte_offsets=[offset]
        )
        read = tf.data.experimental.from_variant(variant, tf.TensorSpec((), tf.string))
        parsed = tf.io.parse_example(read.take(records).batch(encoding.rows_per_call).get_single_element(), features)
        encoded = parsed[encoding.image_key]
        if encoding.resize is not None:
            pixels = encoded
        elif None in encoding.shape:
            pixels = _decode_mixed(encoded, encoding)
        else:
            all_png = tf.reduce_all(tf.strings.substr(encoded, 0, 4) == b"\x89PNG")
            pixels = tf.cond(all_png, lambda: _decode_png(encoded, encoding), lambda: _decode_mixed(encoded, encoding))
        return pixels, parsed[encoding.label_key]

    scalars = [tf.TensorSpec((), dtype) for dtype in (tf.string, tf.int64, tf.int64)]
    traced: RecordDecoder = tf.function(decode, input_signature=scalars, autograph=False)
    return traced


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


def _decode_mixed(encoded: tf.Tensor, encoding: RecordEncoding) -> tf.Tensor:
    """Decodes images of any format, one after the other."""
    import tensorflow as tf

    signature = tf.TensorSpec(encoding.image_shape, tf.uint8)
    return tf.map_fn(lambda one: _decode(one, encoding), encoded, fn_output_signature=signature)


def _decode(encoded: tf.Tensor | bytes, encoding: RecordEncoding) -> tf.Tensor:
    """Decodes one image of any format: uint8 (h, w, c) of the declared shape."""
    import tensorflow as tf

    channels = encoding.shape[2]
    pixels = tf.cond(
        tf.io.is_jpeg(encoded),
        # TensorFlow's default is a faster, inexact transform. Other decoders, such as the scorer's, are exact.
        lambda: tf.io.decode_jpeg(encoded, channels, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(encoded, channels, expand_animations=False),
    )
    return tf.ensure_shape(pixels, encoding.shape)
