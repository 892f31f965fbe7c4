"""Flags and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path

from serving.arguments.parser import Arguments
from serving.errors import InputError
from serving.process.program import PIPELINE
from serving.registry.registry import Registry, require_model_name

FOLDERS = {"runs": "artifacts, history and logs", "models": "promoted models"}


def parser_of(command: str, description: str, *folders: str) -> Arguments:
    """A command's parser, with flags for `folders`, names in `FOLDERS`; for all of them by default."""
    parser = Arguments(f"{PIPELINE} {command}", description)
    for name in folders or FOLDERS:
        text = f"folder of {FOLDERS[name]} (default: %(default)s)"
        parser.add_argument(f"--{name}", type=Path, default=Path(name), metavar="FOLDER", help=text)
    return parser


def add_reason(parser: Arguments) -> None:
    """Adds the flag that every manual promotion and rollback needs."""
    parser.add_argument("--reason", metavar="TEXT", help="the reason, required; stored in history.jsonl")


def require_reason(text: str | None) -> str:
    """The reason, on one line of printable characters. Raises: InputError: there is none."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text or "")
    if not shown.strip():
        raise InputError("--reason is missing: give --reason TEXT; it is stored in history.jsonl")
    return " ".join(shown.split())


def registry_with(models: Path, model: str) -> Registry:
    """The registry. Raises: InputError: it does not have this model."""
    require_model_name(model)
    registry = Registry(models)
    if not (registry.root / model).is_dir():
        has = ", ".join(registry.models()) or "none"
        raise InputError(
            f"{models} has no model {model}, it has {has}: give one of these, or another folder with --models"
        )
    return registry
