"""The commands that the README shows."""

from __future__ import annotations

import re
import shlex

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """Every command, as words, in order: the lines of the shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


def mentioned() -> list[list[str]]:
    """The commands that stand inside of sentences."""
    return [shlex.split(found) for found in re.findall(r"`((?:make|python -m) [^`]+)`", README)]
