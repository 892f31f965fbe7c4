"""Promotion: the version that serves now, or why the candidate may not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import Artifact, read_values, values
from serving.files import write_json


@dataclass(frozen=True, kw_only=True)
class Promotion(Artifact):
    """Attributes:
    model: the model's name.
    version: the version that serves; None where the candidate was refused.
    bundle_sha256: the candidate's bundle.
    """

    model: str
    version: int | None
    bundle_sha256: str

    def save(self) -> Self:
        """Writes promotion.json."""
        write_json(self.path / "promotion.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads promotion.json."""
        return cls(path=path, **read_values(path / "promotion.json"))

    def summary(self) -> str:
        """What was decided."""
        return "; ".join(self.reasons)
