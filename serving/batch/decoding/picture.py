"""The bytes of one picture file -> the pixels that the model takes; nothing is lost silently."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager, nullcontext, suppress

import numpy as np

from serving.batch.decoding import jpeg, pillow_formats, png
from serving.batch.decoding.channels import add_channels, drop_channels, grey, require_channels
from serving.batch.decoding.jpeg_pixels import decode_quickly, scale_for
from serving.batch.decoding.orientation import UPRIGHT, swaps_sides, turn
from serving.batch.decoding.picture_error import (
    NO_PICTURE,
    OTHER_FORMAT,
    OTHER_SIZE,
    POINTER,
    TOO_LARGE,
    PictureError,
    damaged,
)
from serving.batch.decoding.png_rows import unfilter
from serving.batch.inputs.kinds import HEAD_BYTES, describe_kind, picture_kind, pointer
from serving.blocks import Colour, Images, OtherSizes
from serving.resize import resize

PictureFile = png.PngFile | jpeg.JpegFile | pillow_formats.PillowPicture
# The limit of a file's size: metadata may be much larger than the pixels, but not unlimited.
MAX_PICTURE_BYTES = 1 << 28
# The limit for a picture that is resized. Larger ones are a mistake or an attack; Pillow warns at a little more.
MAX_PIXELS = 80_000_000
# Larger PNG pictures are decoded by Pillow, which holds fewer copies of them.
MAX_UNPACKED_BYTES = 1 << 24
# Larger pictures are decoded one after the other, so that memory does not grow with the number of threads.
SHARED_PIXELS = 1 << 23

_large = threading.Lock()


def read_size(content: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in pixels. Raises: PictureError: as `decode`."""
    return _size(_read(content))


def _size(file: PictureFile) -> tuple[int, int]:
    """Width and height of the upright picture."""
    turned = not isinstance(file, png.PngFile) and swaps_sides(file.orientation)
    return (file.height, file.width) if turned else (file.width, file.height)


def decode(
    content: bytes,
    image_shape: tuple[int, int, int],
    resizing: bool = False,
    out: Images | None = None,
    background: Colour | None = None,
) -> Images:
    """Decodes a picture whose pixels are what the model takes.

    A model of grey images takes colour pictures if their three channels are equal everywhere; a model of colour images
    takes grey as three equal channels. A model with 2 or 4 channels takes the opacity as its last channel. A picture is
    turned as its EXIF orientation says; that of a PNG is not read.

    Args:
        content: the whole file.
        image_shape: (height, width, channels) of the model's input, channels 1 to 4.
        resizing: whether a picture of another size is resized; otherwise it does not fit.
        out: uint8 (h, w, c), C-contiguous: receives the pixels and is returned.
        background: what transparent pictures are laid on if the model takes no opacity; None refuses them.

    Returns: uint8 (h, w, c), 0 to 255.

    Raises: PictureError: the picture is damaged or does not fit.
    """
    file = _read(content)
    _require_fit(file, image_shape, resizing)
    if isinstance(file, png.PngFile):
        pixels = _png_pixels(file)
    elif isinstance(file, pillow_formats.PillowPicture):
        with _turn(file.width * file.height):
            pixels = turn(file.pixels(), file.orientation)
    else:
        pixels = _jpeg_pixels(file, image_shape, resizing, out)
    if pixels is out:
        return pixels
    fitting = _fitting(pixels, image_shape, background)
    if out is None:
        return fitting
    out[...] = fitting
    return out


def require_size(size: tuple[int, int], height_width: tuple[int, int]) -> None:
    """Refuses a picture, of some width and height, that has another size than the model's. Raises: PictureError."""
    height, width = height_width
    if size != (width, height):
        fact = f"is {size[0]}×{size[1]} pixels, the model takes {width}×{height} (width × height)"
        raise PictureError(OTHER_SIZE, fact, OtherSizes.REFUSED.advice("it"))


def _require_fit(file: PictureFile, image_shape: tuple[int, int, int], resizing: bool) -> None:
    # Checked before decoding, so that a picture of a few bytes cannot take gigabytes of memory.
    size = _size(file)
    if resizing and file.width * file.height > MAX_PIXELS:
        raise PictureError(TOO_LARGE, f"is {size[0]}×{size[1]} pixels, which is too large", "make it smaller")
    require_channels(image_shape[2])
    if not resizing:
        require_size(size, image_shape[:2])


def _read(content: bytes) -> PictureFile:
    head = content[:HEAD_BYTES]
    kind = picture_kind(head)
    if kind == "PNG":
        return png.read(content)
    if kind == "JPEG":
        return jpeg.read(content)
    if kind is not None:
        return pillow_formats.read(kind, content)
    if (where := pointer(head)) is not None:
        what, _, advice = where.partition(": ")
        raise PictureError(POINTER, f"is {what}", advice)
    described = describe_kind(head)
    if described.endswith("picture"):
        raise PictureError(OTHER_FORMAT, f"is {described}, which cannot be read", "convert it to PNG or JPEG")
    raise PictureError(NO_PICTURE, f"is not a picture, but {described}", "repair or remove it")


def _turn(pixels: int) -> AbstractContextManager[object]:
    """The lock of large pictures; nothing for smaller ones."""
    return _large if pixels > SHARED_PIXELS else nullcontext()


def _png_pixels(file: png.PngFile) -> Images:
    """uint8 (h, w, 1 to 4). Raises: PictureError: as `decode`."""
    with _turn(file.width * file.height):
        rows = file.unpack()
        if file.is_plain and len(rows) <= MAX_UNPACKED_BYTES:
            with suppress(ValueError):
                pixels: Images = unfilter([rows], (file.height, file.width, png.CHANNELS[file.colour]))[0]
                return pixels
        del rows
        return _decode(file.stripped())


def _jpeg_pixels(file: jpeg.JpegFile, image_shape: tuple[int, int, int], resizing: bool, out: Images | None) -> Images:
    """uint8 (h, w, 1 or 3), or `out` if the pixels are already in it. Raises: PictureError: as `decode`."""
    size = file.height, file.width
    target = image_shape[1::-1] if swaps_sides(file.orientation) else image_shape[:2]
    scale = scale_for(size, (target[0], target[1])) if resizing else 1
    with _turn(file.width * file.height // scale**2):
        if scale > 1 and file.channels > image_shape[2]:
            # A smaller scale averages colours, also those of pixels that are not grey.
            grey(_decode_jpeg(file, 1, None))
        return turn(_decode_jpeg(file, scale, out if file.orientation == UPRIGHT else None), file.orientation)


def _decode_jpeg(file: jpeg.JpegFile, scale: int, out: Images | None) -> Images:
    pixels = decode_quickly(file.content, (file.height, file.width, file.channels), scale, out)
    if pixels is None:
        # Pillow ignores some faults, and its errors are those that users see.
        return _decode(file.stripped(), scale)[..., :3]
    return pixels


def _fitting(pixels: Images, image_shape: tuple[int, int, int], background: Colour | None) -> Images:
    """Pixels, uint8 (h, w, 1 to 4), in the model's shape. Raises: PictureError: as `drop_channels`."""
    dropped = drop_channels(pixels, image_shape[2], background)
    return add_channels(resize(dropped, image_shape[:2]), image_shape[2])


def _decode(pixels: bytes, scale: int = 1) -> Images:
    """uint8 (h, w, 4): red, green, blue and opacity, even for palettes and transparent colours."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(pixels), formats=("PNG", "JPEG")) as picture:
            if scale > 1:
                picture.draft(None, (picture.width // scale, picture.height // scale))
            picture.load()
            if picture.mode == "P" and np.asarray(picture).max() >= len(picture.getpalette() or ()) // 3:
                raise ValueError("a pixel's colour is not in its palette")
            return np.asarray(picture.convert("RGBA"))
    except MemoryError:
        raise
    except Exception as error:
        # Pillow's decoders raise a dozen classes of exceptions on damaged files, without a common one.
        # Some end with the address of an object, which is another one each time.
        reason = str(error).partition("\n")[0].partition(" <")[0] or type(error).__name__
        raise damaged("picture", reason) from error
