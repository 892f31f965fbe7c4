"""The bytes of a JPEG file -> its pixels, also at a half, a quarter or an eighth of its size."""

from __future__ import annotations

from serving.blocks import Images

# libjpeg decodes at these fractions of the size without computing the other pixels: 1/8, 1/4, 1/2.
SCALES = (8, 4, 2)
# Of smaller pictures, several scales have the same size, and simplejpeg may choose another one than Pillow.
MIN_SCALED_SIDE = 8


def scale_for(size: tuple[int, int], target: tuple[int, int]) -> int:
    """The largest scale at which both sides are not below the target, as Pillow's `Image.draft` chooses it.

    Args:
        size: height and width of the picture, or width and height.
        target: the sides in the same order.

    Returns: 8, 4, 2, or 1 for the full size.
    """
    factor = min(side // least for side, least in zip(size, target, strict=True))
    return next((scale for scale in SCALES if scale <= factor), 1)


def decode_quickly(content: bytes, shape: tuple[int, int, int], scale: int, out: Images | None) -> Images | None:
    """Decodes with libjpeg directly; Pillow, which reads in pieces and copies the pixels twice, takes twice as long.

    Args:
        content: the whole file.
        shape: height and width of the whole picture, and the channels that the file has, 1 or 3.
        scale: a result of `scale_for`.
        out: receives the pixels if it has their shape, and is returned; C-contiguous.

    Returns:
        uint8 (h, w, c), each side divided by `scale` and rounded up; None if the file has any fault, even one that
        Pillow ignores: then Pillow decides.
    """
    from simplejpeg import decode_jpeg

    height, width = (-(-side // scale) for side in shape[:2])
    channels = shape[2]
    if scale > 1 and max(shape[:2]) < MIN_SCALED_SIDE:
        return None
    buffer = out if out is not None and out.shape == (height, width, channels) else None
    least = (height, width) if scale > 1 else (0, 0)
    try:
        pixels: Images = decode_jpeg(
            content, "RGB" if channels == 3 else "GRAY", min_height=least[0], min_width=least[1], buffer=buffer
        )
    except ValueError:
        return None
    if pixels.shape != (height, width, channels):
        return None
    return pixels if buffer is None else buffer
