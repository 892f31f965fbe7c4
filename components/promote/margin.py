"""Flags + what the seed moves -> Limits: how far a candidate's accuracy may be below that of other versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.significance import Margin

Auto = Literal["auto"]
Compare = Literal["not-worse", "better", "off"]
# The drop below the best version that is allowed by default: this many margins, but at least LEAST_DROP. The best of
# many equally good models is above their mean, so one margin would refuse good ones by chance.
DROP_MARGINS = 3
LEAST_DROP = 0.01
# For a recipe whose seeds were not compared. With 10,000 test images, a loss of one point is still found.
ASSUMED = Margin(0.004, "assumed: `compare --seeds 5` measures what the seed alone moves this recipe")


@dataclass(frozen=True)
class Limits:
    """How far the accuracy of a candidate may be below that of other versions.

    Attributes:
        margin: below the champion's.
        drop: below that of the best version ever promoted, a fraction; None sets no limit.
        drop_origin: where this limit comes from, as a part of a sentence.
    """

    margin: Margin
    drop: float | None
    drop_origin: str


def limits_of(margin: float | Auto, drop: float | Auto | None, known: Margin | None) -> Limits:
    """The limits of one promotion; the margin is never larger than the drop.

    Args:
        margin: a fraction; `auto` is the known margin.
        drop: a fraction; `auto` follows from the margin; None sets no limit.
        known: the candidate's recipe's; None if it was not measured.
    """
    found = (known or ASSUMED) if margin == "auto" else Margin(margin, "--promote.margin")
    if drop is None:
        return Limits(found, None, "")
    if drop == "auto":
        limit = max(LEAST_DROP, DROP_MARGINS * found.value)
        return Limits(found, limit, f"{limit:.4f}, which is {DROP_MARGINS} margins and at least {LEAST_DROP:g}")
    if drop < found.value:
        found = Margin(drop, "--promote.max-drop-fraction, which is smaller than the default margin")
    return Limits(found, drop, f"--promote.max-drop-fraction {drop:g}")
