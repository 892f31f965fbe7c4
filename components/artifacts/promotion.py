"""Promotion: the version that serves now, or why the candidate may not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import Artifact, read_values, values
from components.artifacts.rule import Rule
from serving.files import write_json


@dataclass(frozen=True)
class Pair:
    """A test image that only one of champion and candidate gets right.

    Attributes:
        row: its index in the test split.
        label: its true class.
        champion: the class that the champion takes it for.
        candidate: the class that the candidate takes it for.
    """

    row: int
    label: int
    champion: int
    candidate: int

    @property
    def gained(self) -> bool:
        """Whether it is the candidate that gets it right."""
        return self.candidate == self.label


@dataclass(frozen=True, kw_only=True)
class Promotion(Artifact):
    """Attributes:
    model: the model's name.
    version: the version that serves; None where the candidate was refused.
    bundle_sha256: the candidate's bundle.
    champion: the version that served until then; None where none did.
    gained: test images that the candidate alone gets right; None where the two were not compared.
    lost: test images that the champion alone gets right; None where the two were not compared.
    p: of the test that decided, McNemar's, one-sided, mid-p; None where the two were not compared.
    pairs: of the gained and of the lost images, each the first ones.
    rules: all that it took, each with its arithmetic, whether it holds or not.
    """

    model: str
    version: int | None
    bundle_sha256: str
    champion: int | None = None
    gained: int | None = None
    lost: int | None = None
    p: float | None = None
    pairs: tuple[Pair, ...] = ()
    rules: tuple[Rule, ...] = ()

    def save(self) -> Self:
        """Writes promotion.json."""
        write_json(self.path / "promotion.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads promotion.json."""
        said = read_values(path / "promotion.json")
        rules = tuple(Rule(**rule) for rule in said.pop("rules"))
        return cls(path=path, rules=rules, pairs=tuple(Pair(**pair) for pair in said.pop("pairs")), **said)

    def summary(self) -> str:
        """What was decided, and every rule's arithmetic."""
        if self.passed:
            return "; ".join(self.reasons)
        kept = [rule.words for rule in self.rules if rule.passed]
        return "; ".join([*self.reasons, *(f"({words})" for words in kept)])
