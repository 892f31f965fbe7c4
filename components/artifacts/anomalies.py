"""Anomalies: where the data break their contract; one error refuses, warnings are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from components.artifacts.artifact import Artifact
from serving.files import write_json

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class Anomaly:
    """One breach of a rule.

    Attributes:
        rule: the rule's name, e.g. `label-range`.
        split: where; `train and test` where it takes both.
        message: what was found and what was expected, with the first rows.
        severity: `error` stops the run, `warn` is shown and kept.
        rows: by split, rising, the rows that it is about: all that the statistics name.
    """

    rule: str
    split: str
    message: str
    severity: Severity = "error"
    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        """As one sentence."""
        return f"{self.split}: {self.message} ({self.rule})"

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` said."""
        return cls(**{**said, "rows": {split: tuple(rows) for split, rows in said["rows"].items()}})


@dataclass(frozen=True, kw_only=True)
class Anomalies(Artifact):
    """Attributes:
    found: the breaches, errors first; empty when the data keep their contract.
    checked: the names of the rules that were held against the data.
    skipped: why a rule could not be held against them, one sentence each.
    """

    found: tuple[Anomaly, ...]
    checked: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path, found: Iterable[Anomaly], checked: tuple[str, ...], skipped: tuple[str, ...] = ()) -> Self:
        """The verdict on what was found: one error refuses, and then the errors alone are its reasons."""
        ordered = tuple(sorted(found, key=lambda anomaly: anomaly.severity))
        errors = tuple(anomaly for anomaly in ordered if anomaly.severity == "error")
        return cls(
            path=path,
            found=ordered,
            checked=checked,
            skipped=skipped,
            passed=not errors,
            reasons=tuple(str(anomaly) for anomaly in errors or ordered),
        )

    def save(self) -> Self:
        """Writes anomalies.json."""
        write_json(
            self.path / "anomalies.json",
            {
                "found": [asdict(anomaly) for anomaly in self.found],
                "checked": self.checked,
                "skipped": self.skipped,
                "passed": self.passed,
            },
        )
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads anomalies.json."""
        said = json.loads((path / "anomalies.json").read_text(encoding="utf-8"))
        found = (Anomaly.from_json(anomaly) for anomaly in said["found"])
        return cls.of(path, found, tuple(said["checked"]), tuple(said["skipped"]))

    def summary(self) -> str:
        """How many errors and warnings, and of which rules; `reasons` has each as a sentence."""
        notes = "; ".join([f"{len(self.checked)} rules", *self.skipped])
        if not self.found:
            return f"no anomalies ({notes})"
        errors = sum(anomaly.severity == "error" for anomaly in self.found)
        counts = ((errors, "error"), (len(self.found) - errors, "warning"))
        numbers = ", ".join(f"{n} {what}{'s' * (n > 1)}" for n, what in counts if n)
        broken = ", ".join(dict.fromkeys(anomaly.rule for anomaly in self.found))
        return f"{numbers} ({broken}); {notes}"
