"""Bundle -> the colour that transparent pictures are laid on for its model."""

from __future__ import annotations

from serving.background import METHOD
from serving.blocks import Colour
from serving.bundle.bundle import Bundle
from serving.errors import InputError


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
