"""One image of any size -> an image of the model's size: the same pixels in ingest and in the scorer."""

from __future__ import annotations

import numpy as np

from serving.blocks import Images
from serving.errors import InputError

# How images are resized, as the bundle's manifest describes it. Another method needs another description.
METHOD = "JPEG at 1/1, 1/2, 1/4 or 1/8, not below the size; bilinear, reducing gap 1"
REDUCING_GAP = 1.0


def require_picture_libraries(reason: str) -> None:
    """Refuses to go on without Pillow and simplejpeg; `reason` is who needs them, in the plural. Raises: InputError."""
    try:
        import PIL.Image  # noqa: F401
        import simplejpeg  # noqa: F401
    except ImportError as error:
        name = "simplejpeg" if error.name == "simplejpeg" else "Pillow"
        raise InputError(f"{reason} need {name}, which is not installed: pip install {name.lower()}") from error


def resize(image: Images, size: tuple[int, int]) -> Images:
    """Resizes an image with Pillow: first reduced by whole factors, then with an antialiased triangle filter.

    Pillow calculates with integers, so the pixels are the same on every machine.

    Args:
        image: uint8 (h, w, c), 0 to 255, of any number of channels; returned as it is if it has this size.
        size: height and width.

    Returns: uint8 (height, width, c).
    """
    if image.shape[:2] == size:
        return image
    from PIL import Image

    def one(pixels: Images) -> Images:
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP))

    if image.shape[2] == 3:
        return one(image)
    return np.stack([one(image[..., channel]) for channel in range(image.shape[2])], axis=-1)
