"""A wrong invocation, its exit code, and what its message names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mistake:
    """Arguments as a user types them, the exit code, and parts of the message."""

    typed: str
    exit_code: int
    parts: tuple[str, ...]


def wrong(typed: str, *parts: str, code: int = 2) -> Mistake:
    return Mistake(typed, code, parts)


def listing(folder: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, and every folder."""
    entries = sorted(folder.rglob("*"))
    return {str(entry.relative_to(folder)): entry.read_bytes() if entry.is_file() else None for entry in entries}


def check(mistake: Mistake, code: int, printed, before: dict[str, bytes | None], folder: Path) -> None:
    """The command printed one sentence on stderr and changed no file."""
    assert "Traceback" not in printed.out + printed.err
    assert code == mistake.exit_code, printed
    assert printed.out == ""
    assert printed.err.count("\n") == 1, printed.err
    for part in mistake.parts:
        assert part in printed.err, printed.err
    assert listing(folder) == before
