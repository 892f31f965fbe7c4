"""SyntaxCache: what the syntax of source files says, kept where Python keeps compiled code."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from serving.codec import FormatError, read, to_json
from serving.files import replace_json

# Beyond this number, files that were not used are forgotten.
MOST_FILES = 2_000


class Syntax(NamedTuple):
    """What the syntax of a source file says.

    Attributes:
        digest: SHA-256 of the syntax.
        imported: the names of the modules that it imports, and of what it imports from them.
    """

    digest: str
    imported: tuple[str, ...]


class _Known(NamedTuple):
    """The file of the cache: by the digest of a source file's bytes."""

    syntax: dict[str, Syntax]


@dataclass
class SyntaxCache:
    """What the syntax of each source file says, by the digest of its bytes.

    To parse all files takes longer than a run that has nothing to do. Like compiled code, the cache is never needed:
    where it cannot be written, there is none.

    Attributes:
        file: the file of the cache; None keeps none.
    """

    file: Path | None
    _known: dict[str, Syntax] = field(default_factory=dict)
    _used: dict[str, Syntax] = field(default_factory=dict)

    @classmethod
    def beside(cls, source: Path) -> Self:
        """The cache for this version of Python, beside the compiled code of a source file."""
        if sys.dont_write_bytecode:
            return cls(None)
        file = Path(importlib.util.cache_from_source(str(source))).with_suffix(".syntax.json")
        with suppress(OSError, FormatError):
            return cls(file, dict(read(_Known, file).syntax))
        return cls(file)

    def get(self, content: bytes, parse: Callable[[bytes], Syntax]) -> Syntax:
        """What `parse` says of a file's content; it is called if that is not known."""
        key = hashlib.sha256(content).hexdigest()
        found = self._used[key] = self._known.get(key) or parse(content)
        return found

    def save(self) -> None:
        """Writes the cache, if anything new was used."""
        if self.file is None or self._used.keys() <= self._known.keys():
            return
        self._known = dict(self._used) if len(self._known) > MOST_FILES else {**self._known, **self._used}
        with suppress(OSError):
            self.file.parent.mkdir(exist_ok=True)
            replace_json(self.file, to_json(_Known(self._known)))
