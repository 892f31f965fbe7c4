"""Promotion: the version that serves now, or the reasons against the candidate."""

from __future__ import annotations

from dataclasses import dataclass, field

from components.artifacts.artifact import Artifact, RuleResult
from serving.registry.registry import Promoted


@dataclass(frozen=True)
class DiscordantImage:
    """A test image that only one of champion and candidate predicts correctly.

    Attributes:
        row: its index in the test set.
        label: its true class.
        champion: the class that the champion predicts.
        candidate: the class that the candidate predicts.
    """

    row: int
    label: int
    champion: int
    candidate: int

    @property
    def gained(self) -> bool:
        """Whether the candidate predicts it correctly."""
        return self.candidate == self.label


@dataclass(frozen=True, kw_only=True)
class Promotion(Artifact):
    """Attributes:
    model: the model's name.
    version: the version that serves; None if the candidate was refused.
    bundle_sha256: the candidate's bundle.
    champion: the version that served before; None if no version did.
    gained: test images that only the candidate predicts correctly; None if the two were not compared.
    lost: test images that only the champion predicts correctly; None if the two were not compared.
    interval: the 90 % interval of the difference of the two accuracies, candidate minus champion; None if the two were
        not compared.
    p: p-value of McNemar's test, one-sided, mid-p; None if the two were not compared.
    discordant: the first of the gained and the first of the lost images.
    rules: all rules of the promotion, each with its arithmetic.
    """

    FILE = "promotion.json"

    model: str
    version: int | None
    bundle_sha256: str
    champion: int | None = None
    gained: int | None = None
    lost: int | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    discordant: tuple[DiscordantImage, ...] = field(default=(), metadata={"key": "pairs"})
    rules: tuple[RuleResult, ...] = ()

    def summary(self) -> str:
        """The reasons, and of a refusal also the rules that hold."""
        if self.passed:
            return "; ".join(self.reasons)
        return "; ".join([*self.reasons, *(f"({rule.message})" for rule in self.rules if rule.passed)])


def serving_text(promoted: Promoted, verb: str) -> str:
    """The sentence on a version that serves; `verb` says since when."""
    return f"{promoted.model} version {promoted.version} {verb}, sha256 {promoted.sha256[:12]}"
