"""Verification: the proof that the bundle answers as the trained model does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import UNDIGESTED, Artifact, read_values, values
from components.artifacts.rule import Rule
from serving.files import write_json


@dataclass(frozen=True)
class Measured:
    """What scoring the test images took, in a process of its own, from its start.

    Attributes:
        load_seconds: from the bundle's folder to a model that is ready: every file hashed, the network loaded.
        images_per_second: read, scored and written.
        peak_memory_bytes: the largest resident memory of the process.
    """

    load_seconds: float
    images_per_second: float
    peak_memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Verification(Artifact):
    """Attributes:
    bundle_sha256: the bundle that was verified.
    rows: number of test images compared.
    correct: how many of them the ONNX model gives their own label; 0 where it could not be loaded.
    disagreements: rows where Keras, SavedModel and ONNX do not give one class, each as a sentence.
    max_difference: the largest difference of a probability between any two of the three; None where one of them
        could not be loaded or is not a number.
    rules: all that was asked, each with its arithmetic, whether it holds or not.
    """

    bundle_sha256: str
    rows: int
    correct: int
    disagreements: tuple[str, ...]
    max_difference: float | None
    rules: tuple[Rule, ...]

    def measured(self) -> Measured | None:
        """What scoring took when this was verified; None where it came to no scoring."""
        file = self.path / UNDIGESTED
        return Measured(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def write_measured(self, measured: Measured) -> Self:
        """Writes what differs each time, beside what is digested."""
        write_json(self.path / UNDIGESTED, asdict(measured))
        return self

    def save(self) -> Self:
        """Writes verification.json."""
        write_json(self.path / "verification.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads verification.json."""
        said = read_values(path / "verification.json")
        return cls(path=path, rules=tuple(Rule(**rule) for rule in said.pop("rules")), **said)

    def summary(self) -> str:
        """What the verdict rests on, and what scoring took."""
        said = "; ".join(self.reasons)
        if (took := self.measured()) is None:
            return said
        return (
            f"{said}; loads in {took.load_seconds:.2f} s, {took.images_per_second:,.0f} images/s, "
            f"{took.peak_memory_bytes / 1e6:.0f} MB"
        )
