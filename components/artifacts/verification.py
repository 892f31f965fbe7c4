"""Verification: the proof that the bundle answers as the trained model does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import Artifact, read_values, values
from serving.files import write_json


@dataclass(frozen=True, kw_only=True)
class Verification(Artifact):
    """Attributes:
    bundle_sha256: the bundle that was verified.
    rows: number of test images compared.
    correct: how many of them the ONNX model gives their own label; 0 where it could not be loaded.
    disagreements: rows where Keras, SavedModel and ONNX do not give one class, each as a sentence.
    max_difference: the largest difference of a probability between any two of the three; None where one of them
        could not be loaded or is not a number.
    """

    bundle_sha256: str
    rows: int
    correct: int
    disagreements: tuple[str, ...]
    max_difference: float | None

    def save(self) -> Self:
        """Writes verification.json."""
        write_json(self.path / "verification.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads verification.json."""
        return cls(path=path, **read_values(path / "verification.json"))

    def summary(self) -> str:
        """What the verdict rests on."""
        return "; ".join(self.reasons)
