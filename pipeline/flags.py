"""Frozen dataclasses of options <- flags, read by tyro, whose complaints are told in one sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pipeline.near import nearest
from serving.errors import InputError

Options = TypeVar("Options")


def read_flags(
    options: type[Options], defaults: Options, groups: Mapping[str, type[Any]], prog: str, arguments: Sequence[str]
) -> Options:
    """The options that flags say.

    Args:
        options: a frozen dataclass; its docstring is the help.
        defaults: what holds where no flag says otherwise.
        groups: the dataclass of each field whose own fields are flags, as `--train.epochs`.
        prog: the command, as it is typed.
        arguments: the flags.

    Raises:
        InputError: an unknown flag, or a value that does not fit.
        SystemExit: `--help`.
    """
    import tyro

    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            given, unknown = tyro.cli(options, prog=prog, args=arguments, default=defaults, return_unknown_args=True)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise InputError(f"{_sentence(complaint.getvalue())}: see {prog} --help") from None
    if unknown:
        near = nearest(unknown[0].split("=")[0], [f"--{flag}" for flag in _flags(options, groups)])
        raise InputError(f"{unknown[0]}: there is no such option: {near}see {prog} --help")
    return given


def _flags(options: type[Any], groups: Mapping[str, type[Any]], prefix: str = "") -> list[str]:
    names = []
    for field in dataclasses.fields(options):
        name = prefix + field.name.replace("_", "-")
        names += _flags(groups[field.name], {}, f"{name}.") if field.name in groups else [name]
    return names


def _sentence(box: str) -> str:
    """What tyro says in a box, up to the box's first rule, as one line."""
    text = re.split(r"│ ─+ │", box)[0]
    lines = [line.strip("│ ") for line in text.splitlines() if line.startswith("│")]
    return re.sub(r"\s+", " ", " ".join(lines)).rstrip(". ")
