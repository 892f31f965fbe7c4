"""The bundle, the registry and the scorer: numpy, onnxruntime and the standard library alone.

`from serving import Scorer; Scorer.promoted("models/mnist").score(images)`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.registry.selection import PromotedScorer as Scorer

__all__ = ["Scorer"]


def __getattr__(name: str) -> Any:
    # Imported on first use: reading the registry needs no numpy.
    if name != "Scorer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from serving.registry.selection import PromotedScorer

    return PromotedScorer
