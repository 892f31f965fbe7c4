"""Rule: one condition of a gate with its arithmetic, whether it holds or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """What was computed, and what follows from it.

    Attributes:
        name: what is judged, e.g. `accuracy`.
        passed: whether it holds.
        words: the arithmetic as one sentence without a full stop; of a refusal, with the limit that was missed.
    """

    name: str
    passed: bool
    words: str


def verdict(rules: Sequence[Rule]) -> tuple[bool, tuple[str, ...]]:
    """Whether all rules hold, and the words that this rests on: those of the rules that refuse, else those of all."""
    refusing = tuple(rule.words for rule in rules if not rule.passed)
    return not refusing, refusing or tuple(rule.words for rule in rules)
