"""Dataclass or NamedTuple <-> JSON values: the one way in which Beamline writes and reads its JSON files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from itertools import repeat
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]
# The longest part of a wrong value that a message shows.
SHOWN_CHARACTERS = 60
# By kind: its name in a message, and the check. A bool is an int in Python, not in JSON.
PLAIN: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    int: ("an integer", lambda data: type(data) is int),
    float: ("a finite number", lambda data: type(data) in (int, float) and abs(data) <= sys.float_info.max),
    bool: ("true or false", lambda data: type(data) is bool),
    str: ("text", lambda data: type(data) is str),
    NoneType: ("null", lambda data: data is None),
    Path: ("text", lambda data: type(data) is str),
}


class FormatError(ValueError):
    """The JSON does not hold a value of the kind that was asked for; the message names the file and the field."""


def to_json(value: Any) -> Any:
    """A value as JSON has it: a dataclass as an object, a tuple or NamedTuple as a list, a frozenset as a sorted list.

    A dataclass field is written under its metadata's `key`, if it has one; keys of mappings become text.

    Raises: TypeError: the value, or a part of it, has no JSON form.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.metadata.get("key", field.name): to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [to_json(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{value!r} has no JSON form")


def from_json(kind: type[T], data: Any, where: str | Path) -> T:
    """Reads a value of a kind from what `json.loads` returned; an int is taken for a float, and stays an int.

    A field that is missing takes its default. A field that is unknown is an error, unless the class has
    `IGNORES_UNKNOWN = True`. Under `Any`, a list becomes a tuple. A NamedTuple is read from a list or an object.

    Args:
        kind: a dataclass or NamedTuple, or a container of them. Annotations may use int, float, bool, str, Path, None,
            Any, Literal, unions, tuple, frozenset, and dict or Mapping with keys str or int.
        data: JSON values.
        where: the file, or another name of the source, for messages.

    Raises: FormatError: the data do not match, or the class refuses the values with a ValueError.
    """
    try:
        return cast(T, _reader(cast(Any, kind))(data))
    except _MismatchError as error:
        raise FormatError(f"{where}: {error}") from error.__cause__
    except RecursionError as error:
        raise FormatError(f"{where}: the JSON is nested too deeply") from error


def parse(kind: type[T], text: str | bytes, where: str | Path) -> T:
    """Reads a value of a kind from JSON text. Raises: FormatError: as `from_json`, or the text is not JSON."""
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise FormatError(f"{where}: the JSON is nested too deeply") from error
    except ValueError as error:
        raise FormatError(f"{where} is not valid JSON: {error}") from error
    return from_json(kind, data, where)


def read(kind: type[T], file: Path) -> T:
    """Reads a value of a kind from a JSON file. Raises: OSError; FormatError: as `parse`."""
    return parse(kind, file.read_bytes(), file)


class _MismatchError(Exception):
    """Data that do not match; the path to them grows as the error passes their containers."""

    def __init__(self, problem: str, kind: Any = None) -> None:
        self.path, self.problem, self.kind = "", problem, kind

    def __str__(self) -> str:
        expected = "" if self.kind is None else f": it should be {_expected(self.kind)}"
        return f"{self.path.removeprefix('.') or 'the value'} {self.problem}{expected}"


class _Field(NamedTuple):
    name: str
    key: str
    kind: Any
    required: bool


@cache
def _record_fields(kind: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(kind)
    if _is_named_tuple(kind):
        return tuple(_Field(name, name, hints[name], name not in kind._field_defaults) for name in kind._fields)
    return tuple(
        _Field(f.name, f.metadata.get("key", f.name), hints[f.name], f.default is f.default_factory is MISSING)
        for f in fields(kind)
    )


@cache
def _reader(kind: Any) -> Reader:
    """The function that reads data of a kind. Raises: TypeError: the codec does not support the kind."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return _freeze
    if kind in PLAIN:
        return partial(_read_plain, kind, PLAIN[kind][1])
    if origin is Literal:
        return partial(_read_plain, kind, lambda data: any(type(data) is type(arg) and data == arg for arg in args))
    if origin in (Union, UnionType):
        return partial(_read_union, kind, [_reader(arg) for arg in args])
    if origin is frozenset or (origin is tuple and args[1:] == (...,)):
        return partial(_read_list, kind, origin, repeat(_reader(args[0])), None)
    if origin is tuple:
        return partial(_read_list, kind, tuple, [_reader(arg) for arg in args], len(args))
    if origin in (dict, Mapping) and args[0] in (str, int):
        return partial(_read_mapping, kind, args[0], _reader(args[1]))
    if is_dataclass(kind) or _is_named_tuple(kind):
        return partial(_read_record, kind)
    raise TypeError(f"the codec does not support {kind}")


def _read_plain(kind: Any, matches: Callable[[Any], bool], data: Any) -> Any:
    if not matches(data):
        raise _mismatch(kind, data)
    return Path(data) if kind is Path else data


def _read_union(kind: Any, readers: Sequence[Reader], data: Any) -> Any:
    errors = []
    for read_one in readers:
        try:
            return read_one(data)
        except _MismatchError as error:
            errors.append(error)
    # Any other error than "not this kind" says more: the data are of this kind, and a part of them is wrong.
    within = [error for error in errors if error.path or error.kind is None]
    raise max(within, key=lambda error: len(error.path), default=_mismatch(kind, data))


def _read_list(kind: Any, container: Reader, readers: Iterable[Reader], length: int | None, data: Any) -> Any:
    if not isinstance(data, list | tuple) or length not in (None, len(data)):
        raise _mismatch(kind, data)
    return container(_read_parts(zip(range(len(data)), readers, data, strict=False)).values())


def _read_mapping(kind: Any, key_kind: type[str] | type[int], read_one: Reader, data: Any) -> dict[Any, Any]:
    if not isinstance(data, Mapping):
        raise _mismatch(kind, data)
    values = _read_parts((key, read_one, item) for key, item in data.items())
    try:
        return {key_kind(key): value for key, value in values.items()}
    except ValueError as error:
        raise _MismatchError(f"has a key that is not an integer ({error})") from error


def _read_record(kind: Any, data: Any) -> Any:
    known = _record_fields(kind)
    if isinstance(data, list | tuple) and _is_named_tuple(kind) and len(data) <= len(known):
        data = {field.key: item for field, item in zip(known, data, strict=False)}
    if not isinstance(data, Mapping):
        raise _mismatch(kind, data)
    names = [field.key for field in known]
    if (unknown := sorted(data.keys() - set(names))) and not getattr(kind, "IGNORES_UNKNOWN", False):
        raise _MismatchError(f"has the unknown field {unknown[0]}: the fields are {', '.join(names)}")
    for field in known:
        if field.required and field.key not in data:
            raise _MismatchError(f"has no field {field.key}: it should be {_expected(field.kind)}")
    given = [field for field in known if field.key in data]
    values = _read_parts((field.key, _reader(field.kind), data[field.key]) for field in given)
    try:
        return kind(**{field.name: values[field.key] for field in given})
    except ValueError as error:
        raise _MismatchError(f"is not valid: {error}") from error


def _read_parts(parts: Iterable[tuple[int | str, Reader, Any]]) -> dict[int | str, Any]:
    """Reads the parts of a container, by index or key."""
    values = {}
    for step, read_one, data in parts:
        try:
            values[step] = read_one(data)
        except _MismatchError as error:
            error.path = (f"[{step}]" if isinstance(step, int) else f".{step}") + error.path
            raise
    return values


def _freeze(data: Any) -> Any:
    if isinstance(data, list | tuple):
        return tuple(_freeze(item) for item in data)
    if isinstance(data, Mapping):
        return {key: _freeze(item) for key, item in data.items()}
    return data


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and kind is not tuple


def _mismatch(kind: Any, data: Any) -> _MismatchError:
    return _MismatchError(f"is {_shown(data)}", kind)


def _shown(data: Any) -> str:
    if isinstance(data, list | tuple):
        return f"a list of {len(data)}"
    if isinstance(data, Mapping):
        return "an object"
    text = json.dumps(data, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _expected(kind: Any) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind][0]
    if origin in (Union, UnionType):
        return " or ".join(_expected(arg) for arg in args)
    if origin is Literal:
        return " or ".join(map(_shown, args))
    if origin is tuple and args[1:] != (...,):
        return f"a list of {len(args)}"
    return "a list" if origin in (tuple, frozenset) else "an object"
