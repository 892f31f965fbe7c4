"""Bundle -> whether images of another size may be resized for its model."""

from __future__ import annotations

from serving.bundle.bundle import Bundle
from serving.bundle.manifest import RESIZE, Manifest
from serving.errors import InputError
from serving.resize import METHOD, require_picture_libraries


def resizes(manifest: Manifest) -> bool:
    """Whether the model was trained on images that were resized by the method of this release."""
    return manifest.resize_method == METHOD


def require_resizing(bundle: Bundle) -> None:
    """Refuses to resize images in another way than the training images.

    Raises:
        InputError: the training images were not resized, or by a method that this release does not know; or Pillow is
            not installed.
    """
    manifest = bundle.manifest
    if resizes(manifest):
        require_picture_libraries("images of other sizes")
        return
    if manifest.resize_method is not None:
        raise InputError(
            f"images cannot be resized for {bundle.path}: its training images were resized by the method "
            f"{manifest.resize_method!r}, this release knows {METHOD!r}: score with the release that made the bundle"
        )
    recorded = RESIZE in manifest.preprocessing
    reason = "its training images were not resized" if recorded else "an older release made it, and recorded no method"
    height, width, _ = manifest.image_shape
    raise InputError(
        f"images cannot be resized for {bundle.path}: {reason}: give images of {width}×{height} pixels "
        f"(width × height), or train a model with --ingest.resize {height} {width}"
    )
