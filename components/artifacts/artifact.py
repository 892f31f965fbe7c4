"""Artifact: the output of one component, a folder of files with a verdict; RuleResult: one condition of it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from serving.codec import from_json, read, to_json
from serving.files import canonical_json, write_json

# Holds values that differ from one execution to the next, e.g. seconds; it is kept, but is not part of the digest.
UNDIGESTED = "measured.json"


@dataclass(frozen=True)
class RuleResult:
    """Whether a condition holds, and the arithmetic behind it.

    Attributes:
        name: the rule's, e.g. `accuracy`.
        passed: whether it holds.
        message: the arithmetic as one sentence without a full stop; of a rule that does not hold, with the limit.
    """

    name: str
    passed: bool
    message: str = field(metadata={"key": "words"})


@dataclass(frozen=True, kw_only=True)
class Artifact(ABC):
    """The output of one component.

    Attributes:
        FILE: the name of the JSON file that holds its fields.
        UNSAVED: fields that are not in this file, because `load` can compute them.
        LIMITS: fields that depend on limits which the user sets, and that no drawing shows.
        path: the folder that holds its files.
        passed: False refuses: no later step runs on it.
        reasons: the reasons of the verdict, one sentence each.
    """

    FILE: ClassVar[str]
    UNSAVED: ClassVar[tuple[str, ...]] = ()
    LIMITS: ClassVar[tuple[str, ...]] = ()

    path: Path
    passed: bool = True
    reasons: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads the artifact from its folder. Raises: OSError; FormatError: a file is damaged."""
        values = read(dict[str, Any], path / cls.FILE)
        return from_json(cls, {**values, "path": str(path)}, path / cls.FILE)

    def save(self) -> Self:
        """Writes the fields; the kinds have methods that write other files."""
        values = {name: value for name, value in self._values().items() if name not in self.UNSAVED}
        write_json(self.path / self.FILE, values)
        return self

    def digest(self, without: tuple[str, ...] = ()) -> str:
        """SHA-256 of the canonical JSON of its fields except `path` and some others: its identity, in any folder."""
        values = {name: value for name, value in self._values().items() if name not in without}
        return hashlib.sha256(canonical_json(values).encode()).hexdigest()

    @abstractmethod
    def summary(self) -> str:
        """One line for a person."""

    def _values(self) -> dict[str, Any]:
        """The JSON values of its fields except `path`, by their keys."""
        values: dict[str, Any] = to_json(self)
        del values["path"]
        return values
