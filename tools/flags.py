"""Commands -> what each takes, as a person reads it: from the parsers and dataclasses that the commands read with."""

from __future__ import annotations

import argparse
import inspect
import itertools
import re
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from unittest.mock import patch

from serving.arguments.ranges import Range, ranges_of

KINDS = {str: "text", int: "whole number", float: "number", Path: "path"}


@dataclass(frozen=True)
class Flag:
    """One flag, or one argument without a name.

    Attributes:
        names: as it is typed; a flag that is on or off has its opposite too.
        value: what it takes, in Markdown; empty where it takes nothing, or one of the choices.
        choices: all that it takes.
        default: in Markdown; empty where there is none.
        meaning: one sentence.
    """

    names: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    default: str
    meaning: str


@dataclass(frozen=True)
class Command:
    """What a command takes.

    Attributes:
        usage: the command as it is typed, without its flags.
        text: what it does, and whose flags it takes besides.
        groups: its flags; the first group has no heading, the others have that of a component.
    """

    usage: str
    text: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Flag, ...]], ...]


def read_command(main: Callable[[list[str]], Any], subcommand: Sequence[str]) -> Command:
    """What a command would print as its help: it is asked for that, and the parser that is to answer is looked at.

    Args:
        main: takes arguments, as `main` of a module does.
        subcommand: its name after the module; empty if the module has one command.
    """
    found: list[Command] = []

    def of_argparse(parser: argparse.ArgumentParser, *_: object) -> None:
        found.append(_from_parser(parser))

    def of_tyro(options: type[Any], *, prog: str, default: Any, **_: object) -> None:
        found.append(_from_options(options, prog, default))
        raise SystemExit

    with (
        patch.object(argparse.ArgumentParser, "print_help", of_argparse),
        patch("tyro.cli", of_tyro),
        suppress(SystemExit),
    ):
        main([*subcommand, "--help"])
    (command,) = found
    return command


def _from_parser(parser: argparse.ArgumentParser) -> Command:
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    arguments = [_placeholder(action) for action in actions if not action.option_strings]
    text = tuple(part for part in (parser.description, parser.epilog) if part)
    flags = tuple(_from_action(action, parser.prog) for action in actions)
    return Command(" ".join([parser.prog, *arguments]), text, (("", flags),))


def _from_action(action: argparse.Action, prog: str) -> Flag:
    help_text = (action.help or "") % {**vars(action), "prog": prog}
    # The help describes a default that is not a plain value.
    parts = re.fullmatch(r"(?P<meaning>.*?) ?\(default: (?P<default>.*)\)", help_text)
    meaning, default = (parts["meaning"], parts["default"]) if parts else (help_text, "")
    names = tuple(action.option_strings) or (_placeholder(action),)
    if action.nargs == 0:
        return Flag(names, "", (), "on" if action.default else "off", meaning)
    value = _code(action.metavar or "") if action.option_strings else ""
    # A range's methods are the types of numbers.
    value += f", {allowed}" if isinstance(allowed := getattr(action.type, "__self__", None), Range) else ""
    choices = tuple(map(str, action.choices or ()))
    return Flag(names, value, choices, default if " " in default else _code(default), meaning)


def _placeholder(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest).upper()
    return {"+": f"{name}…", "*": f"[{name}…]"}.get(str(action.nargs), name)


def _from_options(options: type[Any], prog: str, default: Any) -> Command:
    description = inspect.getdoc(options).partition("\nAttributes:")[0]  # type: ignore[union-attr]
    meanings = _meanings(options)
    groups = [("", tuple(_from_fields(options, default, "")))]
    for field in fields(options):
        if is_dataclass(value := getattr(default, field.name)):
            flags = tuple(_from_fields(type(value), value, f"{field.name}."))
            groups.append((f"{field.name}: {meanings[field.name].rstrip('.')}", flags))
    return Command(prog, tuple(re.split(r"\n\n", description.strip())), tuple(groups))


def _from_fields(options: type[Any], default: Any, prefix: str) -> Iterator[Flag]:
    kinds, meanings = get_type_hints(options), _meanings(options)
    allowed = {name: found for one in options.__mro__[:-1] for name, found in ranges_of(one).items()}
    for field in fields(options):
        value = getattr(default, field.name)
        if is_dataclass(value):
            continue
        name = field.name.replace("_", "-")
        names: tuple[str, ...] = (f"--{prefix}{name}",)
        if kinds[field.name] is bool:
            names += (f"--{prefix}no-{name}",)
        described, choices = _kind(kinds[field.name])
        described += f", {allowed[field.name]}" if field.name in allowed else ""
        yield Flag(names, described, choices, _default(value), meanings[field.name])


def _meanings(options: type[Any]) -> dict[str, str]:
    """The texts below `Attributes:` in the docstrings of a class and of its base classes, by name."""
    sections = [inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2] for kind in options.__mro__[:-1]]
    found = [re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section, flags=re.MULTILINE) for section in sections]
    return {name: re.sub(r"\s+", " ", text) for name, text in itertools.chain.from_iterable(found)}


def _kind(kind: Any) -> tuple[str, tuple[str, ...]]:
    """The values of a type: a description, and the list of values if they are few."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is bool:
        return "", ()
    if origin is Literal:
        return "", inner
    if origin in (Union, types.UnionType):
        parts = [_kind(one) for one in inner if one is not type(None)]
        # A union of a type and a few literals, e.g. a number or `auto`, is described as a whole.
        descriptions = [part if part else " or ".join(f"`{choice}`" for choice in choices) for part, choices in parts]
        described = [*(descriptions if len(parts) > 1 else [parts[0][0]]), *["`None`"] * (type(None) in inner)]
        return " or ".join(described), () if len(parts) > 1 else parts[0][1]
    if origin is tuple:
        each, choices = _kind(inner[0])
        several = f"{each}s" if each else "any of"
        return (several if inner[-1] is Ellipsis else f"{len(inner)} {several}"), choices
    return KINDS[kind], ()


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value == ():
        return "none"
    return _code(" ".join(map(str, value)) if isinstance(value, tuple) else value)


def _code(value: object) -> str:
    return f"`{value}`" if str(value) else ""
