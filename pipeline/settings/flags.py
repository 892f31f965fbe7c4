"""Flags -> a frozen dataclass of options, read by tyro; its error messages become one sentence."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pipeline.settings.plain_flags import plain_flags
from serving.errors import InputError
from serving.suggestions import did_you_mean

Options = TypeVar("Options")


def read_flags(defaults: Options, prog: str, arguments: Sequence[str]) -> Options:
    """The options that flags set; a field that is a dataclass itself is a group of flags, as `--train.epochs`.

    The docstring of the options' class is the help; `prog` is the command, as the user types it.

    Raises:
        InputError: an unknown flag, or a value of the wrong type.
        SystemExit: `--help`.
    """
    # tyro's import and its parser take longer than all else in a run with nothing to do.
    quickly = plain_flags(defaults, arguments)
    return tyro_flags(defaults, prog, arguments) if quickly is None else quickly


def tyro_flags(defaults: Options, prog: str, arguments: Sequence[str]) -> Options:
    """The same, read by tyro for any arguments."""
    import tyro

    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message):
            given, unknown = tyro.cli(
                type(defaults), prog=prog, args=arguments, default=defaults, return_unknown_args=True
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise InputError(f"{_sentence(message.getvalue())}: see {prog} --help") from None
    if unknown:
        near = did_you_mean(unknown[0].split("=")[0], [f"--{flag}" for flag in _flags(defaults)])
        raise InputError(f"{unknown[0]}: there is no such option: {near}see {prog} --help")
    return given


def _flags(options: Any, prefix: str = "") -> Iterator[str]:
    for field in fields(options):
        name, value = prefix + field.name.replace("_", "-"), getattr(options, field.name)
        if is_dataclass(value):
            yield from _flags(value, f"{name}.")
        else:
            yield name


def _sentence(box: str) -> str:
    """The text in tyro's box of an error, up to the first rule, as one line."""
    text = re.split(r"│ ─+ │", box)[0]
    lines = [line.strip("│ ") for line in text.splitlines() if line.startswith("│")]
    return re.sub(r"\s+", " ", " ".join(lines)).rstrip(". ")
