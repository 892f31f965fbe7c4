"""What was written so far of an output -> a file beside it, a line a block: so that a killed run can go on."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A block whose predictions are written.

    Attributes:
        stop: the index of the first image after it.
        end_bytes: where its predictions end in the output.
        output_sha256: of the whole output up to there.
        tally: what was counted in it.
    """

    stop: int
    end_bytes: int
    output_sha256: str
    tally: dict[str, Any]

    def line(self) -> bytes:
        """The entry, as `read_journal` takes it."""
        return _line(self._asdict())


def key_line(key: dict[str, Any]) -> bytes:
    """The journal's first line: what the output is made of, and how."""
    return _line(key)


def read_journal(content: bytes) -> tuple[dict[str, Any], list[Entry]]:
    """Reads a journal as far as it is whole: the last line may be cut off, where the process was killed.

    Returns:
        The key, empty where there is none, and the entries in order.
    """
    key: dict[str, Any] = {}
    entries: list[Entry] = []
    with suppress(ValueError, TypeError):
        for line in content.split(b"\n")[:-1]:
            if not key:
                key = dict(json.loads(line))
            else:
                entries.append(Entry(**json.loads(line)))
    return key, entries


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
