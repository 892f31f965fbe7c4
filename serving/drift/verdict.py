"""Divergences and their limits -> the verdict on drift, for the screen and for the sidecar."""

from __future__ import annotations

from typing import Any, NamedTuple

from serving.drift.divergence import Divergence
from serving.drift.features import DESCRIPTIONS


class DriftFigure(NamedTuple):
    """The divergence of one feature from the baseline, and its limit."""

    found: Divergence
    limit: Divergence

    @property
    def ratio(self) -> float:
        """The larger of PSI and Jensen-Shannon divergence, each as a fraction of its limit: above 1 is drift."""
        return max(self.found.psi / self.limit.psi, self.found.js / self.limit.js)

    def to_json(self) -> dict[str, float]:
        """The figure for the sidecar; the divergences have six decimal places."""
        return {
            "psi": round(self.found.psi, 6),
            "psi_limit": self.limit.psi,
            "jensen_shannon": round(self.found.js, 6),
            "jensen_shannon_limit": self.limit.js,
        }


class Drift(NamedTuple):
    """The result of the comparison with the baseline.

    Attributes:
        rows: images in the sample.
        figures: by feature; empty if the sample is too small.
        needed: images that a sample must have; None if the baseline has no limits.
    """

    rows: int
    figures: dict[str, DriftFigure]
    needed: int | None

    @property
    def drifted(self) -> bool:
        """Whether a feature is over its limit."""
        return any(figure.ratio > 1 for figure in self.figures.values())

    @property
    def verdict(self) -> str:
        """One of `none`, `drift` and `too few images to tell`."""
        if not self.figures:
            return "too few images to tell"
        return "drift" if self.drifted else "none"

    @property
    def sentence(self) -> str:
        """One line for the screen: the verdict, and the feature with the largest ratio to its limit."""
        if not self.figures:
            needed = "the training images are too few" if self.needed is None else f"{self.needed:,} needed"
            return f"drift: {self.verdict} ({self.rows:,} sampled, {needed})"
        feature = max(self.figures, key=lambda name: self.figures[name].ratio)
        figure = self.figures[feature]
        # The two measures rarely disagree: the one that is nearer to its limit is shown.
        measures = zip(("PSI", "Jensen-Shannon"), figure.found, figure.limit, strict=True)
        measure, found, limit = max(measures, key=lambda one: one[1] / one[2])
        numbers = f"{measure} {found:.3f}, limit {limit:.3f}"
        if not self.drifted:
            nearest = f"nearest to its limit: {DESCRIPTIONS[feature]}, {numbers}"
            return f"drift: none in {self.rows:,} sampled images ({nearest})"
        others = [name for name, other in self.figures.items() if other.ratio > 1 and name != feature]
        also = f"; also {', '.join(others)}" if others else ""
        differs = f"{DESCRIPTIONS[feature]} is not that of the training images"
        return f"drift: {differs} in {self.rows:,} sampled ones ({numbers}{also})"

    def to_json(self) -> dict[str, Any]:
        """The result for the sidecar of the scores."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "figures": {feature: figure.to_json() for feature, figure in self.figures.items()},
        }
