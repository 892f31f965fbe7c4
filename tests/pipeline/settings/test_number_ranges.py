"""Every number that a user may give has a range: what is outside is refused in one sentence that names the range."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.__main__ import COMMANDS, main
from pipeline.settings.options import _defaults, parse_run
from pipeline.settings.preset_file import read_preset
from serving import batch_score
from serving.arguments.ranges import Range, ranges_of
from serving.errors import InputError

# What people and programs write for a number that is none, or that no computer holds.
NOT_NUMBERS = (
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1e400",
    "",
    " ",
    "one",
    "0x10",
    "1,5",
    "²",
    "9" * 400,
    "-" + "9" * 400,
)


@dataclass(frozen=True)
class Number:
    """A flag that takes numbers: how many, whether they are whole, and which."""

    flag: str
    many: int
    whole: bool
    allowed: Range | None


def numbers(options: Any, prefix: str = "--") -> list[Number]:
    """Every flag of numbers in a tree of dataclasses, found by the fields' types."""
    found: list[Number] = []
    hints = get_type_hints(type(options))
    allowed = {name: one for kind in type(options).__mro__[:-1] for name, one in ranges_of(kind).items()}
    for field in fields(options):
        name, value = prefix + field.name.replace("_", "-"), getattr(options, field.name)
        if is_dataclass(value):
            found += numbers(value, f"{name}.")
        elif kinds := plain_types(hints[field.name]) & {int, float}:
            found.append(Number(name, many(hints[field.name]), kinds == {int}, allowed.get(field.name)))
    return found


def plain_types(hint: Any) -> set[type]:
    if get_origin(hint) is Literal:
        return {NoneType}
    return set().union(*map(plain_types, get_args(hint))) if get_args(hint) else {hint}


def many(hint: Any) -> int:
    """How many numbers a flag takes."""
    lists = [part for part in (hint, *get_args(hint)) if get_origin(part) is tuple]
    return len([part for part in get_args(lists[0]) if part is not Ellipsis]) if lists else 1


NUMBERS = numbers(_defaults([]))
# Those whose values a preset file may have.
RECIPE = [number for number in NUMBERS if number.flag.startswith("--train.")]


def outside(allowed: Range) -> st.SearchStrategy[float]:
    """Numbers near and far outside a range."""
    near = [allowed.low] * allowed.above + [allowed.high] * allowed.below
    steps = st.sampled_from([1, 2, 1e9, 1e300]) | st.floats(min_value=1, max_value=1e307)
    far = steps.map(lambda by: allowed.low - by) | steps.map(lambda by: allowed.high + by)
    return st.sampled_from(near) | far if near else far


def text_of(value: float, whole: bool) -> str:
    return str(int(value)) if whole else repr(float(value))


def refusal(arguments: list[str]) -> str:
    with pytest.raises(InputError) as error:
        parse_run(arguments)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 2000
    return message


def test_every_flag_of_numbers_has_a_range():
    assert len(NUMBERS) > 25
    assert [number.flag for number in NUMBERS if number.allowed is None] == []


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_number_outside_its_range_is_refused_with_the_range(data):
    number = data.draw(st.sampled_from(NUMBERS))
    value = data.draw(outside(number.allowed).filter(lambda value: value not in number.allowed))
    message = refusal([number.flag, *[text_of(value, number.whole)] * number.many])
    assert message.startswith(number.flag)
    assert f"give {number.allowed}" in message


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_number_inside_its_range_is_taken(data):
    number = data.draw(st.sampled_from([number for number in NUMBERS if number.flag != "--promote.margin"]))
    low, high = number.allowed.low, number.allowed.high
    value = data.draw(st.integers(int(low), int(high)) if number.whole else st.floats(low, high))
    if value in number.allowed:
        parse_run([number.flag, *[text_of(value, number.whole)] * number.many])


@given(st.sampled_from(NUMBERS), st.sampled_from(NOT_NUMBERS))
@settings(max_examples=100, deadline=None)
def test_what_is_no_number_is_refused(number, text):
    assert number.flag in refusal([number.flag, *[text] * number.many])


@pytest.mark.parametrize("number", [number for number in NUMBERS if not number.whole], ids=lambda number: number.flag)
def test_zero_with_a_sign_is_zero(number):
    if 0 in number.allowed:
        assert json.dumps(parse_run([f"{number.flag}=-0.0"]).config.record()) == json.dumps(
            parse_run([f"{number.flag}=0"]).config.record()
        )


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_preset_file_has_the_same_ranges(data, tmp_path_factory):
    number = data.draw(st.sampled_from(RECIPE))
    name = number.flag.removeprefix("--train.").replace("-", "_")
    wrong = outside(number.allowed).filter(lambda value: value not in number.allowed)
    value = data.draw(wrong.map(int if number.whole else float) | st.sampled_from(NOT_NUMBERS))
    several = name in ("hidden", "convolutions")
    file = tmp_path_factory.mktemp("presets") / "mine.json"
    file.write_text(json.dumps({name: [value] if several else value}))
    with pytest.raises(InputError) as error:
        read_preset(file)
    assert str(error.value).startswith(f"--preset {file}")
    assert name in str(error.value).replace("-", "_")
    assert "\n" not in str(error.value)


def parser_of(command, arguments) -> argparse.ArgumentParser:
    """The parser that a command reads its arguments with."""
    found: list[argparse.ArgumentParser] = []
    asked = patch.object(argparse.ArgumentParser, "print_help", lambda parser, *_: found.append(parser))
    with asked, pytest.raises(SystemExit):
        command([*arguments, "--help"])
    return found[0]


def typed_flags() -> list[tuple[argparse.ArgumentParser, argparse.Action]]:
    """The flags of all other parsers whose text is converted, but not to a path."""
    parsers = [parser_of(main, [name]) for name in COMMANDS if name != "run"] + [parser_of(batch_score.main, [])]
    return [(parser, action) for parser in parsers for action in parser._actions if action.type not in (None, Path)]


def test_other_commands_refuse_what_is_no_number_in_one_sentence():
    tried = typed_flags()
    names = {name for _, action in tried for name in action.option_strings}
    assert {"--trials", "--timeout", "--seeds", "--to", "--keep", "--threads", "--promote.margin"} <= names
    for parser, action in tried:
        allowed = getattr(action.type, "__self__", None)
        ends = [] if allowed is None else [repr(allowed.low - 1), repr(allowed.high + 1)]
        for text in (*NOT_NUMBERS, "-1", *ends):
            flag = action.option_strings[0]
            with pytest.raises(InputError) as error:
                parser.parse_args([f"{flag}={text}", *["x"] * 3])
            assert "\n" not in str(error.value)
            assert allowed is None or str(allowed) in str(error.value)
