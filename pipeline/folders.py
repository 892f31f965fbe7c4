"""The flags that say where a command's folders are, the same for every command that does not run the pipeline."""

from __future__ import annotations

from pathlib import Path

from serving.arguments import Arguments

FOLDERS = {"runs": "artifacts, history and logs", "models": "promoted models"}


def parser_of(command: str, description: str, *folders: str) -> Arguments:
    """A command's parser.

    Args:
        command: its name.
        description: what it does, in a sentence.
        folders: those of `FOLDERS` that it takes; without any named, all of them.
    """
    parser = Arguments(f"python -m pipeline {command}", description)
    for name in folders or FOLDERS:
        words = f"folder of {FOLDERS[name]} (default: %(default)s)"
        parser.add_argument(f"--{name}", type=Path, default=Path(name), metavar="FOLDER", help=words)
    return parser
