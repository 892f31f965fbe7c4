"""The bundle, the registry and the scorer: numpy, onnxruntime and the standard library alone.

`from serving import Scorer; Scorer.promoted("models/mnist").score(images)`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.scorer import Scorer

__all__ = ["Scorer"]


def __getattr__(name: str) -> Any:
    # Not before somebody asks: what only wants to know what is promoted needs no numpy.
    if name != "Scorer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from serving.scorer import Scorer

    return Scorer
