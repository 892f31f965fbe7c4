"""Flags with one plain value each -> the options that tyro would read, in a hundredth of its time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Options = TypeVar("Options")

# What is certainly a number, and the same one to every reader of numbers.
NUMBERS: dict[type, str] = {int: r"[0-9]{1,18}", float: r"[0-9]{1,9}(\.[0-9]{1,9})?"}


def plain_flags(defaults: Options, arguments: Sequence[str]) -> Options | None:
    """The options, if all arguments are flags spelt as in the help, with a plain value; the last of equal ones counts.

    Returns: None if any argument is something else, valid or not: then tyro reads them all, and writes the message.
    Raises: InputError: a value is not in its range.
    """
    changes: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        switch = None if equals else _switch(defaults, flag)
        if switch is not None:
            name, found = switch
        elif (read := _reader(defaults, flag)) is None or not (equals or rest):
            return None
        else:
            name, found = flag, read(value if equals else rest.pop(0))
        if found is None:
            return None
        changes[name] = found
    return _changed(defaults, changes)


def _switch(options: Any, flag: str) -> tuple[str, bool] | None:
    """The flag and the value of `--name` or `--no-name`; None if the flag is not a switch."""
    for name, value in ((flag, True), (flag.replace("--no-", "--", 1), False)):
        if isinstance(_value(options, name), bool):
            return name, value
    return None


def _reader(options: Any, flag: str) -> Callable[[str], Any] | None:
    """How the text of a flag's value is read, to None if it is not certain; None if the flag has no plain value."""
    *path, name = _path(flag)
    owner = _value(options, "--" + ".".join(path)) if path else options
    if not is_dataclass(owner) or name not in {field.name for field in fields(owner)}:
        return None
    kind: Any = get_type_hints(type(owner))[name]
    if get_origin(kind) is UnionType and NoneType in get_args(kind) and len(get_args(kind)) == 2:
        (kind,) = set(get_args(kind)) - {NoneType}
    if kind in (str, Path):
        # tyro takes `None` for no value where that is possible, and a dash for the next flag.
        return lambda text: None if text.startswith("-") or text in ("", "None") else kind(text)
    if kind in NUMBERS:
        return lambda text: kind(text) if re.fullmatch(NUMBERS[kind], text) else None
    if get_origin(kind) is Literal:
        return lambda text: text if text in get_args(kind) else None
    return None


def _value(options: Any, flag: str) -> Any:
    """The value of a flag or of a group of flags; None if there is none."""
    for name in _path(flag):
        options = getattr(options, name, None) if is_dataclass(options) else None
    return options


def _path(flag: str) -> list[str]:
    """The names of the fields that lead to a flag; names that are not spelt as in the help lead nowhere."""
    plain = re.fullmatch(r"--[a-z0-9-]+(\.[a-z0-9-]+)?", flag)
    return flag[2:].replace("-", "_").split(".") if plain else [""]


def _changed(options: Options, changes: dict[str, Any]) -> Options:
    """The options with other values; each group is checked once, with all its values."""
    groups: dict[str, dict[str, Any]] = {"": {}}
    for flag, value in changes.items():
        *path, name = _path(flag)
        groups.setdefault("".join(path), {})[name] = value
    own = groups.pop("")
    nested = {name: replace(getattr(options, name), **values) for name, values in groups.items()}
    return replace(options, **own, **nested)  # type: ignore[type-var]
