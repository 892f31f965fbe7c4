"""The bytes of a WebP, GIF, BMP, TIFF or PNM file -> its size, and its pixels, by Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from serving.batch.decoding.orientation import TAG, UPRIGHT
from serving.batch.decoding.picture_error import ANIMATED, OTHER_PIXELS, PictureError, damaged, sixteen_bits
from serving.blocks import Images

if TYPE_CHECKING:
    from PIL.Image import Image

# Pillow's names of the kinds.
FORMATS = {"WebP": "WEBP", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF", "PNM": "PPM"}
# Pillow's modes with 8 bits or fewer per channel, which become red, green, blue and opacity without a loss.
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
# Modes with one grey channel.
GREY = ("1", "L", "LA")


class PillowPicture(NamedTuple):
    """A picture whose header was read.

    Attributes:
        kind: `WebP`, `GIF`, `BMP`, `TIFF` or `PNM`.
        width: in pixels, as Pillow gives them.
        height: in pixels, as Pillow gives them.
        orientation: how the pixels from Pillow are turned, 1 to 8, as EXIF has it; 1 is upright.
        coloured: whether pixels are, or may be, other than grey.
        content: the whole file.
    """

    kind: str
    width: int
    height: int
    orientation: int
    coloured: bool
    content: bytes

    def pixels(self) -> Images:
        """uint8 (h, w, 4): red, green, blue and opacity; of a GIF the first frame. Raises: PictureError: as `read`."""
        try:
            with _open(self.kind, self.content) as picture:
                picture.load()
                return np.asarray(picture.convert("RGBA"))
        except MemoryError:
            raise
        except Exception as error:
            raise _damaged(self.kind, error) from error


def read(kind: str, content: bytes) -> PillowPicture:
    """Reads the header of a picture of some kind.

    Raises:
        PictureError: it is damaged, is animated and no GIF, or has more than 8 bits per channel.
    """
    try:
        with _open(kind, content) as picture:
            mode, (width, height) = picture.mode, picture.size
            frames = 1 if kind == "GIF" else getattr(picture, "n_frames", 1)
            # Pillow turns TIFF pictures itself, and gives their upright size.
            orientation = UPRIGHT if kind == "TIFF" else int(picture.getexif().get(TAG, UPRIGHT))
            palette = picture.getpalette() if mode in ("P", "PA") else None
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(kind, error) from error
    if frames > 1:
        raise PictureError(ANIMATED, f"has {frames} frames", "save one of them")
    # Pillow gives PNM pictures of 16 bits in 32.
    if mode.startswith("I;16") or (mode, kind) == ("I", "PNM"):
        raise sixteen_bits(grey=True)
    if mode not in MODES:
        fact = f"has pixels of the type {mode}, the model takes grey or RGB with 8 bits"
        raise PictureError(OTHER_PIXELS, fact, "convert it to RGB")
    coloured = mode not in GREY if palette is None else not palette[::3] == palette[1::3] == palette[2::3]
    orientation = orientation if 1 <= orientation <= 8 else UPRIGHT
    return PillowPicture(kind, width, height, orientation, coloured, content)


def _open(kind: str, content: bytes) -> Image:
    from PIL import Image

    return Image.open(io.BytesIO(content), formats=(FORMATS[kind],))


def _damaged(kind: str, error: Exception) -> PictureError:
    # Pillow raises a dozen classes of exceptions on damaged files; some texts end with the address of an object.
    reason = str(error).partition("\n")[0].partition(" <")[0] or type(error).__name__
    return damaged(f"{kind} picture", reason)
