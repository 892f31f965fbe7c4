"""The costs of scoring -> Rules: are they within the limits that the user set?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from components.artifacts.artifact import RuleResult
from components.artifacts.verification import Measured
from serving.arguments.ranges import Range, require_ranges

Cost = Annotated[float | None, Range(0, 10**12, above=True)]


@dataclass(frozen=True)
class CostLimits:
    """Limits on the costs of scoring in the process without TensorFlow; None sets no limit.

    Attributes:
        max_load_seconds: longest time to load the bundle.
        min_images_per_second: lowest scoring rate.
        max_memory_mb: largest memory, in millions of bytes.
    """

    max_load_seconds: Cost = None
    min_images_per_second: Cost = None
    max_memory_mb: Cost = None

    def __post_init__(self) -> None:
        """Checks the limits. Raises: InputError: a limit is out of range, so that it would verify nothing."""
        require_ranges(self, CostLimits, "--verify.")


def limit_rules(measured: Measured, params: CostLimits) -> list[RuleResult]:
    """The limits that were set. A limit that holds is reported without the figure, which differs each time."""
    limits = (
        ("load time", "s", measured.load_seconds, "max-load-seconds", params.max_load_seconds, 1),
        ("rate", "images/s", measured.images_per_second, "min-images-per-second", params.min_images_per_second, -1),
        ("memory", "MB", measured.peak_memory_bytes / 1e6, "max-memory-mb", params.max_memory_mb, 1),
    )
    rules = []
    for name, unit, found, flag, limit, sign in limits:
        if limit is None:
            continue
        bound = f"{'at most' if sign > 0 else 'at least'} {limit:g}"
        passed = found * sign <= limit * sign
        refusal = (
            f"{name} {found:,.4g} {unit} is {'above' if sign > 0 else 'below'} the limit of {limit:g} {unit}: "
            f"change --verify.{flag}, or measure again with --force"
        )
        rules.append(RuleResult(name, passed, f"{name} {bound} {unit}" if passed else refusal))
    return rules
