"""The progress of an output -> a file beside it, one line per block, so that a killed run can be resumed."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from serving.codec import FormatError, parse, to_json


@dataclass(frozen=True)
class Entry:
    """A block whose predictions are written.

    Attributes:
        stop: the index of the first image after the block.
        end_bytes: where the block's predictions end in the output.
        output_sha256: the digest of the output up to there.
        counts: the counts of the block, as JSON values.
    """

    stop: int
    end_bytes: int
    output_sha256: str
    counts: dict[str, Any] = field(metadata={"key": "tally"})


def journal_line(content: dict[str, Any] | Entry) -> bytes:
    """One line of a journal: first the dependencies, everything that the predictions depend on, then the entries."""
    return json.dumps(to_json(content), sort_keys=True, separators=(",", ":")).encode() + b"\n"


def read_journal(content: bytes) -> tuple[dict[str, Any], list[Entry]]:
    """Reads a journal up to the first damaged line; a killed process leaves an incomplete last line.

    Returns: the dependencies, empty if the journal has none, and the entries in order.
    """
    dependencies: dict[str, Any] = {}
    entries: list[Entry] = []
    with suppress(FormatError):
        for line in content.split(b"\n")[:-1]:
            if not dependencies:
                dependencies = parse(dict[str, Any], line, "journal")
            else:
                entries.append(parse(Entry, line, "journal"))
    return dependencies, entries
