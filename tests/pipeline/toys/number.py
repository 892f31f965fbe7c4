"""Number: an artifact that is one integer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import Artifact


@dataclass(frozen=True, kw_only=True)
class Number(Artifact):
    value: int

    def save(self) -> Self:
        data = {"value": self.value, "passed": self.passed, "reasons": self.reasons}
        (self.path / "number.json").write_text(json.dumps(data))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        data = json.loads((path / "number.json").read_text())
        return cls(path=path, value=data["value"], passed=data["passed"], reasons=tuple(data["reasons"]))

    def summary(self) -> str:
        return f"the number {self.value}"


@dataclass(frozen=True, kw_only=True)
class Word(Number):
    """Another kind."""
