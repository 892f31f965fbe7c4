"""A TFDS builder -> how images and labels are encoded in its records."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.batch.decoding.background import require_fit
from serving.blocks import Colour
from serving.errors import InputError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

# Number of images that are decoded in one call, which may be that of another process.
DECODE_ROWS = 256
# Size of the decoded images of one call: of large images, a call decodes fewer.
DECODE_BYTES = 1 << 23
# The assumed side of images of unknown size.
ASSUMED_SIDE = 512


@dataclass(frozen=True)
class RecordEncoding:
    """How images and labels are encoded in records.

    Attributes:
        image_key: the image's feature, encoded as PNG, JPEG, BMP or GIF.
        label_key: the label's feature, int64.
        shape: (height, width, channels) as the set declares it; height and width are None if they vary.
        resize: height and width of every image; None keeps the declared ones.
        background: what transparent pictures are laid on, which removes the channel of the opacity; None keeps it, or
            refuses such pictures if the set declares none.
    """

    image_key: str
    label_key: str
    shape: tuple[int | None, int | None, int]
    resize: tuple[int, int] | None
    background: Colour | None = None

    @property
    def rows_per_call(self) -> int:
        """Number of images that are decoded in one call, 1 or more."""
        return max(1, min(DECODE_ROWS, DECODE_BYTES // math.prod(extent or ASSUMED_SIDE for extent in self.shape)))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of every image, resized and laid on the background."""
        height, width = self.resize or self.shape[:2]
        if height is None or width is None:
            raise ValueError(f"images of shape {self.shape} need a size")
        channels = self.shape[2]
        return height, width, channels - 1 if self.background is not None and channels in (2, 4) else channels


def encoding_of(
    builder: tfds.core.DatasetBuilder, resize: tuple[int, int] | None, background: Colour | None = None
) -> RecordEncoding:
    """Reads the encoding from the features that a builder declares.

    Raises:
        InputError: not a set of uint8 images with one label each, the images need a common size, or they are grey and
            the background is not.
    """
    import tensorflow_datasets as tfds

    info = builder.info
    # A set without supervised keys is unambiguous if it has one image and one label.
    kinds: dict[Any, list[str]] = {tfds.features.Image: [], tfds.features.ClassLabel: []}
    for name, feature in info.features.items():
        for kind, names in kinds.items():
            names += [name] * isinstance(feature, kind)
    keys = info.supervised_keys or tuple(names[0] for names in kinds.values() if len(names) == 1)
    image, label = [info.features[key] for key in keys] if len(keys) == 2 else (None, None)
    if not isinstance(image, tfds.features.Image) or not isinstance(label, tfds.features.ClassLabel):
        raise InputError(f"--dataset {builder.name} is not a set of images with one label each: give one that is")
    if image.np_dtype != np.uint8:
        raise InputError(
            f"--dataset {builder.name} has images of type {image.np_dtype.__name__}: give a set of uint8 images"
        )
    height, width, channels = image.shape
    if None in (height, width) and resize is None:
        raise InputError(
            f"--dataset {builder.name} has images of different sizes: give one size with --ingest.resize HEIGHT WIDTH"
        )
    if info.file_format not in (tfds.core.FileFormat.TFRECORD, tfds.core.FileFormat.ARRAY_RECORD):
        raise InputError(
            f"--dataset {builder.name} is stored as {info.file_format.value}: prepare it as TFRecord or ArrayRecord "
            "files"
        )
    encoding = RecordEncoding(keys[0], keys[1], (height, width, channels or 3), resize, background)
    if background is not None:
        require_fit(background, encoding.image_shape[2])
    return encoding
