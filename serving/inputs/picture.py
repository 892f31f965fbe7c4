"""The bytes of one PNG or JPEG file -> exactly the pixels that the model takes; what would change them is refused."""

from __future__ import annotations

import io

import numpy as np

from serving.inputs import jpeg, png
from serving.inputs.blocks import Images

MAGICS = (png.MAGIC, jpeg.MAGIC)
# Of the file; what stands in it may be much smaller than what comes with it, but not without end.
MAX_PICTURE_BYTES = 1 << 28


def is_picture(head: bytes) -> bool:
    """Whether a file with these first bytes is a PNG or a JPEG file."""
    return head.startswith(MAGICS)


def read_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises: ValueError, whose text goes on after the file's name."""
    return _strip(content)[:2]


def decode(content: bytes, image_shape: tuple[int, int, int]) -> Images:
    """Decodes a picture whose pixels are what the model takes.

    A model of grey images takes pictures whose three channels are equal everywhere; one of colour takes grey as
    three equal channels. The orientation that EXIF names is ignored, as TensorFlow's decoder ignored it when the
    model was trained.

    Args:
        content: the whole file.
        image_shape: (height, width, channels) of the model's input, channels 1 or 3.

    Returns:
        uint8 (h, w, c), 0 to 255.

    Raises:
        ValueError: it cannot be decoded or does not fit; the text goes on after the file's name.
    """
    width, height, pixels = _strip(content)
    # Before anything is decoded, so that a picture of a few bytes cannot take gigabytes.
    require_size((width, height), image_shape)
    if content.startswith(png.MAGIC):
        png.require_pixels(pixels)
    colours = _decode(pixels)
    if colours[..., 3].min() < 255:
        raise ValueError("is transparent in places: save it on a background, without its transparency")
    colours = colours[..., :3]
    if image_shape[2] == 3:
        return colours
    if (colours != colours[..., :1]).any():
        raise ValueError('is coloured, the model takes grey: convert it with Pillow\'s .convert("L")')
    return colours[..., :1]


def require_size(size: tuple[int, int], image_shape: tuple[int, int, int]) -> None:
    """Refuses a picture of another size than the model's. Raises: ValueError, to go on after the file's name."""
    height, width, channels = image_shape
    if size != (width, height):
        raise ValueError(
            f"is {size[0]}×{size[1]} pixels, the model takes {width}×{height} (width × height): resize it to fit"
        )
    if channels not in (1, 3):
        raise ValueError(f"has 1 or 3 channels as every picture, the model takes {channels}: save arrays with them")


def _strip(content: bytes) -> tuple[int, int, bytes]:
    if content.startswith(png.MAGIC):
        return png.strip(content)
    if content.startswith(jpeg.MAGIC):
        return jpeg.strip(content)
    raise ValueError("is no PNG or JPEG picture: mend or remove it")


def _decode(pixels: bytes) -> Images:
    """uint8 (h, w, 4): red, green, blue, and how opaque; of a palette and of a transparent colour too."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(pixels), formats=("PNG", "JPEG")) as picture:
            picture.load()
            if picture.mode == "P" and np.asarray(picture).max() >= len(picture.getpalette() or ()) // 3:
                raise ValueError("a pixel's colour is not in its palette")
            return np.asarray(picture.convert("RGBA"))
    except Exception as error:
        # Pillow's decoders raise a dozen kinds of exceptions on damaged files, and no common one.
        why = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"is a damaged picture ({why}): mend or remove it") from error
