"""The colour that transparent pictures are laid on: the same pixels in ingest and in the scorer."""

from __future__ import annotations

import re

from serving.blocks import Colour, Images
from serving.bundle.bundle import Bundle
from serving.errors import InputError

# How pictures are laid on a colour, as the bundle's manifest describes it. Another method needs another description.
METHOD = "(pixel * opacity + background * (255 - opacity) + 127) // 255 in each channel of 8 bits, before resizing"
NAMES = {"white": "#ffffff", "black": "#000000"}
HEX = re.compile(r"#[0-9a-f]{6}")
# The size of the products that are in memory at once, in bytes.
PART_BYTES = 1 << 20


def parse_colour(text: str) -> Colour:
    """Reads `white`, `black` or `#rrggbb`. Raises: ValueError: another text."""
    code = NAMES.get(text.lower(), text.lower())
    if not HEX.fullmatch(code):
        raise ValueError(f"{text!r} is not a colour")
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def format_colour(colour: Colour) -> str:
    """The colour as `#rrggbb`."""
    return f"#{bytes(colour).hex()}"


def is_grey(colour: Colour) -> bool:
    """Whether the three channels are equal."""
    return len(set(colour)) == 1


def require_fit(colour: Colour, channels: int) -> None:
    """Refuses a colour for grey pictures that is not grey. Raises: InputError."""
    if channels == 1 and not is_grey(colour):
        code = format_colour(colour)
        raise InputError(
            f"--ingest.background {code} has colours, but the pictures are grey: give white, black or another grey, "
            "e.g. '#808080'"
        )


def background_of(bundle: Bundle) -> Colour | None:
    """The colour that the training pictures were laid on; None if they were not, or an older release made the bundle.

    Raises: InputError: they were laid on it by a method that this release does not know.
    """
    background = bundle.manifest.background
    if background is None:
        return None
    if background.method != METHOD:
        raise InputError(
            f"pictures cannot be laid on a background for {bundle.path}: its training pictures were laid on it by the "
            f"method {background.method!r}, this release knows {METHOD!r}: score with the release that made the bundle"
        )
    return background.colour


def lay_on(pixels: Images, opacity: Images, colour: Colour) -> Images:
    """Lays pixels on a colour, with integers only: opaque pixels stay, and fully transparent ones become the colour.

    Each channel becomes (pixel · opacity + background · (255 - opacity) + 127) // 255, the nearest integer.

    Args:
        pixels: uint8 (h, w, c), c 1 or 3; grey pixels on a colour that is not grey become three channels.
        opacity: uint8 (h, w, 1), 255 is opaque.
        colour: the background.

    Returns: uint8 (h, w, 1 or 3).
    """
    import numpy as np

    channels = 3 if pixels.shape[2] == 3 or not is_grey(colour) else 1
    laid = np.empty((*pixels.shape[:2], channels), np.uint8)
    below = np.array(colour[:channels], np.uint16)
    rows = max(1, PART_BYTES // max(1, 2 * laid[:1].size))
    for start in range(0, len(laid), rows):
        part = slice(start, start + rows)
        # At most 255 · 255 + 127, which 16 bits hold.
        alpha = opacity[part].astype(np.uint16)
        laid[part] = (pixels[part] * alpha + below * (255 - alpha) + 127) // 255
    return laid
