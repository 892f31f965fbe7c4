"""Anomalies: where the data break their contract; one error refuses."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import Artifact
from serving.files import write_json


@dataclass(frozen=True)
class Anomaly:
    """One broken rule.

    Attributes:
        rule: the rule's name, e.g. `label-range`.
        split: where.
        message: what was found and what was expected.
    """

    rule: str
    split: str
    message: str

    def __str__(self) -> str:
        """As one sentence."""
        return f"{self.split}: {self.message} ({self.rule})"


@dataclass(frozen=True, kw_only=True)
class Anomalies(Artifact):
    """Attributes:
    found: the broken rules; empty when the data keep their contract.
    checked: the names of the rules that were held against the data.
    """

    found: tuple[Anomaly, ...]
    checked: tuple[str, ...]

    def save(self) -> Self:
        """Writes anomalies.json."""
        write_json(
            self.path / "anomalies.json",
            {"found": [asdict(anomaly) for anomaly in self.found], "checked": self.checked, "passed": self.passed},
        )
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads anomalies.json."""
        said = json.loads((path / "anomalies.json").read_text(encoding="utf-8"))
        found = tuple(Anomaly(**anomaly) for anomaly in said["found"])
        return cls(
            path=path,
            found=found,
            checked=tuple(said["checked"]),
            passed=said["passed"],
            reasons=tuple(str(anomaly) for anomaly in found),
        )

    def summary(self) -> str:
        """The number of anomalies, and the rules."""
        return f"{len(self.found) or 'no'} anomalies ({', '.join(self.checked)})"
