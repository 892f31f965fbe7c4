"""The bundle, the registry and the scorer: numpy, onnxruntime and the standard library; pictures also need Pillow.

`from serving import Scorer; Scorer.promoted("models/mnist").score(images)`
"""

from __future__ import annotations

# As in `typing`, which takes longer to import than all that a command needs before it handles Ctrl-C.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from serving.batch.images import read_images
    from serving.registry.selection import PromotedScorer as Scorer

__all__ = ["Scorer", "read_images"]


def __getattr__(name: str) -> object:
    # Imported on first use: reading the registry needs no numpy.
    if name == "Scorer":
        from serving.registry.selection import PromotedScorer

        return PromotedScorer
    if name == "read_images":
        from serving.batch.images import read_images

        return read_images
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
