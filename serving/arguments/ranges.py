"""The ranges of the numbers that a user may give: one definition for the check, the message and the reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from serving.errors import InputError

# The longest part of a wrong value that a message shows.
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both included unless `above` or `below` is set.

    A field of a dataclass is declared with it, as `epochs: Annotated[int, Range(1, 1000)]`, and `require_ranges` checks
    the field. A parser takes its methods for the types of its arguments.

    Attributes:
        low: the smallest number.
        high: the largest number.
        above: `low` itself is not in the range.
        below: `high` itself is not in the range.
    """

    low: float
    high: float
    above: bool = False
    below: bool = False

    def __contains__(self, number: float) -> bool:
        """Whether a number is in the range; NaN never is."""
        low = number > self.low if self.above else number >= self.low
        return low and (number < self.high if self.below else number <= self.high)

    def __str__(self) -> str:
        """The range in words, e.g. `1 to 1,000`, or `0 or more, below 1`."""
        if not self.above and not self.below:
            return f"{self.low:,} to {self.high:,}"
        low = f"above {self.low:,}" if self.above else f"{self.low:,} or more"
        return f"{low}, {'below' if self.below else 'at most'} {self.high:,}"

    def whole(self, text: str) -> int:
        """The whole number in a command's argument. Raises: argparse.ArgumentTypeError: it is not in the range."""
        # Digits without end are too large for every range, and Python does not convert them.
        if text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20 and int(text) in self:
            return int(text)
        raise argparse.ArgumentTypeError(f"{_shown(text)!r}: give a whole number, {self}")

    def number(self, text: str) -> float:
        """The number in a command's argument. Raises: argparse.ArgumentTypeError: it is not in the range."""
        try:
            if (number := float(text)) in self:
                return number
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"{_shown(text)!r}: give a number, {self}")


def require_ranges(options: Any, kind: Any, prefix: str) -> None:
    """Checks the fields that a dataclass declares with a range.

    A zero with a minus sign becomes 0: it is the same number, and must have the same key.

    Args:
        options: an instance of `kind`.
        kind: the dataclass; fields of its base classes are not checked.
        prefix: the beginning of the flags that set the fields, e.g. `--train.`.

    Raises: InputError: names the flag, the number and the range.
    """
    for name, allowed in ranges_of(kind).items():
        value = getattr(options, name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float) and number not in allowed:
                raise InputError(f"{prefix}{name.replace('_', '-')} {_shown(str(number))}: give {allowed}")
        if isinstance(value, float) and not value:
            object.__setattr__(options, name, 0.0)


@cache
def ranges_of(kind: Any) -> dict[str, Range]:
    """The ranges of the fields that a dataclass itself declares, by name."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: found for name in kind.__annotations__ for found in _ranges(hints[name])}


def _ranges(hint: Any) -> Iterator[Range]:
    if get_origin(hint) is Annotated:
        yield from (extra for extra in get_args(hint)[1:] if isinstance(extra, Range))


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
