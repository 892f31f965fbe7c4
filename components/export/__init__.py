"""Model + Transform + Statistics + Examples + Evaluation -> Bundle: SavedModel and ONNX, preprocessing inside."""

from components.export.export import Params, run

__all__ = ["Params", "run"]
