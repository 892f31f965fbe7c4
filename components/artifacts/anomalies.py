"""Anomalies: the rules that the data break; one error refuses, warnings are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from components.artifacts.artifact import Artifact

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class Anomaly:
    """A rule that the data break.

    Attributes:
        rule: the rule's name, e.g. `label-range`.
        split: the split's name; `train and test` if the rule compares both.
        message: the values that were found and expected, with the first rows.
        severity: `error` stops the run, `warn` is shown and kept.
        rows: by split, rising: the rows concerned, as far as the statistics name them.
    """

    rule: str
    split: str
    message: str
    severity: Severity = "error"
    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        """As one sentence."""
        return f"{self.split}: {self.message} ({self.rule})"


@dataclass(frozen=True, kw_only=True)
class Anomalies(Artifact):
    """Attributes:
    found: the anomalies, errors first.
    checked: the names of the rules that were checked.
    skipped: the reasons why rules could not be checked, one sentence each.
    """

    FILE = "anomalies.json"
    UNSAVED = ("reasons",)

    found: tuple[Anomaly, ...]
    checked: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path, found: Iterable[Anomaly], checked: tuple[str, ...], skipped: tuple[str, ...] = ()) -> Self:
        """One error refuses; the reasons are then the errors alone."""
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

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads anomalies.json."""
        saved = super().load(path)
        return cls.of(path, saved.found, saved.checked, saved.skipped)

    def summary(self) -> str:
        """The numbers of errors and warnings, and their rules; `reasons` has each as a sentence."""
        notes = "; ".join([f"{len(self.checked)} rules", *self.skipped])
        if not self.found:
            return f"no anomalies ({notes})"
        errors = sum(anomaly.severity == "error" for anomaly in self.found)
        counts = ((errors, "error"), (len(self.found) - errors, "warning"))
        numbers = ", ".join(f"{n} {kind}{'s' * (n > 1)}" for n, kind in counts if n)
        broken = ", ".join(dict.fromkeys(anomaly.rule for anomaly in self.found))
        return f"{numbers} ({broken}); {notes}"
