"""Converted bundle + Examples + Evaluation -> Bundle: SavedModel and ONNX, with what the gate says of them."""

from components.export.export import run

__all__ = ["run"]
