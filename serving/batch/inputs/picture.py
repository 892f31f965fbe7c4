"""The bytes of one PNG or JPEG file -> the pixels that the model takes; no pixel is converted."""

from __future__ import annotations

import io

import numpy as np

from serving.batch.inputs import jpeg, png
from serving.blocks import Images

MAGICS = (png.MAGIC, jpeg.MAGIC)
# The limit of a file's size: metadata may be much larger than the pixels, but not unlimited.
MAX_PICTURE_BYTES = 1 << 28


def is_picture(head: bytes) -> bool:
    """Whether a file with these first bytes is a PNG or a JPEG file."""
    return head.startswith(MAGICS)


def read_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises: ValueError: as `decode`."""
    return _strip(content)[:2]


def decode(content: bytes, image_shape: tuple[int, int, int]) -> Images:
    """Decodes a picture whose pixels are what the model takes.

    A model of grey images takes colour pictures if their three channels are equal everywhere; a model of colour images
    takes grey as three equal channels. The EXIF orientation is ignored, as TensorFlow's decoder ignored it in training.

    Args:
        content: the whole file.
        image_shape: (height, width, channels) of the model's input, channels 1 or 3.

    Returns: uint8 (h, w, c), 0 to 255.

    Raises:
        ValueError: the picture is damaged or does not fit; the text continues a sentence that starts with the file's
            name.
    """
    width, height, pixels = _strip(content)
    # Checked before decoding, so that a picture of a few bytes cannot take gigabytes of memory.
    require_size((width, height), image_shape)
    if content.startswith(png.MAGIC):
        png.require_pixels(pixels)
    colours = _decode(pixels)
    if colours[..., 3].min() < 255:
        raise ValueError("has transparent pixels: save it on a background, without transparency")
    colours = colours[..., :3]
    if image_shape[2] == 3:
        return colours
    if (colours != colours[..., :1]).any():
        raise ValueError('has colours, the model takes grey: convert it with Pillow\'s .convert("L")')
    return colours[..., :1]


def require_size(size: tuple[int, int], image_shape: tuple[int, int, int]) -> None:
    """Refuses a picture of another size than the model's. Raises: ValueError: as `decode`."""
    height, width, channels = image_shape
    if size != (width, height):
        raise ValueError(
            f"is {size[0]}×{size[1]} pixels, the model takes {width}×{height} (width × height): resize it to fit"
        )
    if channels not in (1, 3):
        raise ValueError(f"has 1 or 3 channels, the model takes {channels}: save the images as an array")


def _strip(content: bytes) -> tuple[int, int, bytes]:
    if content.startswith(png.MAGIC):
        return png.strip(content)
    if content.startswith(jpeg.MAGIC):
        return jpeg.strip(content)
    raise ValueError("is not a PNG or JPEG picture: repair or remove it")


def _decode(pixels: bytes) -> Images:
    """uint8 (h, w, 4): red, green, blue and opacity, even for palettes and transparent colours."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(pixels), formats=("PNG", "JPEG")) as picture:
            picture.load()
            if picture.mode == "P" and np.asarray(picture).max() >= len(picture.getpalette() or ()) // 3:
                raise ValueError("a pixel's colour is not in its palette")
            return np.asarray(picture.convert("RGBA"))
    except Exception as error:
        # Pillow's decoders raise a dozen classes of exceptions on damaged files, without a common one.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"is a damaged picture ({reason}): repair or remove it") from error
