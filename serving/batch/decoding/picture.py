"""The bytes of one picture file -> the pixels that the model takes; no pixel is converted."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager, nullcontext, suppress

import numpy as np

from serving.batch.decoding import jpeg, pillow_formats, png
from serving.batch.decoding.jpeg_pixels import decode_quickly, scale_for
from serving.batch.decoding.orientation import UPRIGHT, swaps_sides, turn
from serving.batch.decoding.png_rows import unfilter
from serving.batch.inputs.kinds import HEAD_BYTES, describe_kind, other_picture_kind, picture_kind, pointer
from serving.blocks import Images, OtherSizes
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


class SizeError(ValueError):
    """A picture has another size than the model's; `fact` is the message without the advice."""

    def __init__(self, fact: str) -> None:
        """Takes the fact; the message advises to resize the picture."""
        super().__init__(f"{fact}: {OtherSizes.REFUSED.advice('it')}")
        self.fact = fact


def read_size(content: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in pixels. Raises: ValueError: as `decode`."""
    return _size(_read(content))


def _size(file: PictureFile) -> tuple[int, int]:
    """Width and height of the upright picture."""
    turned = not isinstance(file, png.PngFile) and swaps_sides(file.orientation)
    return (file.height, file.width) if turned else (file.width, file.height)


def decode(
    content: bytes, image_shape: tuple[int, int, int], resizing: bool = False, out: Images | None = None
) -> Images:
    """Decodes a picture whose pixels are what the model takes.

    A model of grey images takes colour pictures if their three channels are equal everywhere; a model of colour images
    takes grey as three equal channels. A picture is turned as its EXIF orientation says; that of a PNG is not read.

    Args:
        content: the whole file.
        image_shape: (height, width, channels) of the model's input, channels 1 or 3.
        resizing: whether a picture of another size is resized; otherwise it does not fit.
        out: uint8 (h, w, c), C-contiguous: receives the pixels and is returned.

    Returns: uint8 (h, w, c), 0 to 255.

    Raises:
        ValueError: the picture is damaged or does not fit; the text continues a sentence that starts with the file's
            name.
    """
    file = _read(content)
    _require_fit(file, image_shape, resizing)
    if isinstance(file, png.PngFile):
        colours = _opaque(_png_pixels(file))
    elif isinstance(file, pillow_formats.PillowPicture):
        with _turn(file.width * file.height):
            colours = turn(_opaque(file.pixels()), file.orientation)
    else:
        colours = _jpeg_pixels(file, image_shape, resizing, out)
    if colours is out:
        return colours
    fitting = _fitting(colours, image_shape)
    if out is None:
        return fitting
    out[...] = fitting
    return out


def require_size(size: tuple[int, int], height_width: tuple[int, int]) -> None:
    """Refuses a picture, of some width and height, that has another size than the model's. Raises: SizeError."""
    height, width = height_width
    if size != (width, height):
        raise SizeError(f"is {size[0]}×{size[1]} pixels, the model takes {width}×{height} (width × height)")


def require_channels(channels: int) -> None:
    """Refuses a model whose input has this number of channels. Raises: ValueError: as `decode`."""
    if channels not in (1, 3):
        raise ValueError(f"has 1 or 3 channels, the model takes {channels}: save the images as an array")


def _require_fit(file: PictureFile, image_shape: tuple[int, int, int], resizing: bool) -> None:
    # Checked before decoding, so that a picture of a few bytes cannot take gigabytes of memory.
    size = _size(file)
    if resizing and file.width * file.height > MAX_PIXELS:
        raise ValueError(f"is {size[0]}×{size[1]} pixels, which is too large: make it smaller")
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
    if (other := other_picture_kind(head)) is not None:
        raise ValueError(f"is a {other} picture, which cannot be read: convert it to PNG or JPEG")
    if (where := pointer(head)) is not None:
        raise ValueError(f"is {where}")
    raise ValueError(f"is not a picture, but {describe_kind(head)}: repair or remove it")


def _turn(pixels: int) -> AbstractContextManager[object]:
    """The lock of large pictures; nothing for smaller ones."""
    return _large if pixels > SHARED_PIXELS else nullcontext()


def _png_pixels(file: png.PngFile) -> Images:
    """uint8 (h, w, 1 to 4). Raises: ValueError: as `decode`."""
    with _turn(file.width * file.height):
        rows = file.unpack()
        if file.is_plain and len(rows) <= MAX_UNPACKED_BYTES:
            with suppress(ValueError):
                pixels: Images = unfilter([rows], (file.height, file.width, png.CHANNELS[file.colour]))[0]
                return pixels
        del rows
        return _decode(file.stripped())


def _jpeg_pixels(file: jpeg.JpegFile, image_shape: tuple[int, int, int], resizing: bool, out: Images | None) -> Images:
    """uint8 (h, w, 1 or 3), or `out` if the pixels are already in it. Raises: ValueError: as `decode`."""
    size = file.height, file.width
    target = image_shape[1::-1] if swaps_sides(file.orientation) else image_shape[:2]
    scale = scale_for(size, (target[0], target[1])) if resizing else 1
    with _turn(file.width * file.height // scale**2):
        if scale > 1 and file.channels > image_shape[2]:
            # A smaller scale averages colours, also those of pixels that are not grey.
            _grey(_decode_jpeg(file, 1, None))
        return turn(_decode_jpeg(file, scale, out if file.orientation == UPRIGHT else None), file.orientation)


def _decode_jpeg(file: jpeg.JpegFile, scale: int, out: Images | None) -> Images:
    pixels = decode_quickly(file.content, (file.height, file.width, file.channels), scale, out)
    if pixels is None:
        # Pillow ignores some faults, and its errors are those that users see.
        return _opaque(_decode(file.stripped(), scale))
    return pixels


def _fitting(colours: Images, image_shape: tuple[int, int, int]) -> Images:
    """Pixels, uint8 (h, w, 1 or 3), in the model's shape. Raises: ValueError: colours do not fit a grey model."""
    if image_shape[2] == 1:
        colours = _grey(colours)
    resized = resize(colours, image_shape[:2])
    return resized if resized.shape == image_shape else np.repeat(resized, 3, axis=2)


def _grey(colours: Images) -> Images:
    """uint8 (h, w, 1). Raises: ValueError: the channels differ."""
    if (colours != colours[..., :1]).any():
        raise ValueError('has colours, the model takes grey: convert it with Pillow\'s .convert("L")')
    return colours[..., :1]


def _opaque(colours: Images) -> Images:
    """Removes the opacity from uint8 (h, w, 1 to 4). Raises: ValueError: a pixel is transparent."""
    channels = colours.shape[2]
    if channels in (1, 3):
        return colours
    if colours[..., -1].min() < 255:
        raise ValueError("has transparent pixels: save it on a background, without transparency")
    return colours[..., :-1]


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
    except Exception as error:
        # Pillow's decoders raise a dozen classes of exceptions on damaged files, without a common one.
        # Some end with the address of an object, which is another one each time.
        reason = str(error).partition("\n")[0].partition(" <")[0] or type(error).__name__
        raise ValueError(f"is a damaged picture ({reason}): repair or remove it") from error
