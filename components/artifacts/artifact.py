"""What every kind of artifact is: a folder of files, and a verdict."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from serving.files import canonical_json

# What differs from one time to the next though nothing changed, as seconds do: kept, and no part of the digest.
UNDIGESTED = "measured.json"


@dataclass(frozen=True, kw_only=True)
class Artifact(ABC):
    """The output of one component.

    Attributes:
        path: the folder that holds its files.
        passed: False refuses: no step runs on it.
        reasons: what the verdict rests on, one sentence each; of a refusal, why.
    """

    path: Path
    passed: bool = True
    reasons: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def load(cls, path: Path) -> Self:
        """Reads the artifact back from its folder."""

    @abstractmethod
    def save(self) -> Self:
        """Writes what is not yet in its folder, and returns itself."""

    def digest(self) -> str:
        """SHA-256 of its fields as they are written to JSON: the identity of what was found, wherever it lies."""
        return hashlib.sha256(canonical_json(values(self)).encode()).hexdigest()

    @abstractmethod
    def summary(self) -> str:
        """What it is, on one line, for a person."""


def values(artifact: Artifact) -> dict[str, Any]:
    """An artifact's fields but its path, by name, as they are written to JSON; dataclasses in them likewise."""
    return {name: value for name, value in asdict(artifact).items() if name != "path"}


def read_values(file: Path) -> dict[str, Any]:
    """The fields that `values` gave; JSON knows no tuples, artifacts hold no lists."""
    return {name: _frozen(value) for name, value in json.loads(file.read_text(encoding="utf-8")).items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {name: _frozen(item) for name, item in value.items()}
    return value
