"""The commands that the documents show, in their order."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tests.conftest import ROOT

NAMES = ("README.md", "docs/tutorial.md", "docs/guide.md", "docs/scoring.md", "docs/architecture.md")
DOCUMENTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}


@dataclass(frozen=True)
class Shown:
    """A command, or a program in Python, that a document shows.

    Attributes:
        text: unchanged.
        exit_code: 0, or what the document says that it ends with.
        language: of the block: `sh`, `python`, `crontab` or `yaml`.
    """

    text: str
    exit_code: int
    language: str

    @property
    def parts(self) -> list[str]:
        return shlex.split(self.text, comments=True)


def shown(document: str) -> list[Shown]:
    """Everything that is to be run, in order; blocks of text are what comes out, and are left out."""
    found = []
    for language, block in re.findall(r"```(\w+)\n(.*?)```", DOCUMENTS[document], flags=re.DOTALL):
        if language == "python":
            found.append(Shown(block, 0, language))
        elif language == "yaml":
            found += [Shown(line, 0, language) for line in re.findall(r"run: (.*)", block)]
        elif language in ("sh", "crontab"):
            lines = [line.partition(" && ")[2] if language == "crontab" else line for line in block.splitlines()]
            codes = [re.search(r"# exits with (\d+)", line) for line in lines]
            found += [
                Shown(line, int(code[1]) if code else 0, language)
                for line, code in zip(lines, codes, strict=True)
                if line
            ]
        else:
            assert language == "text", f"{document} has a block of {language}"
    return found


def mentioned(document: str) -> list[list[str]]:
    """The commands that stand inside of sentences."""
    return [shlex.split(found) for found in re.findall(r"`((?:make|python -m) [^`]+)`", DOCUMENTS[document])]
