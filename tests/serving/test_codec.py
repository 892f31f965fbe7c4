import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.codec import FormatError, from_json, parse, read, to_json
from serving.files import canonical_json


class Place(NamedTuple):
    row: int
    test: bool = False


@dataclass(frozen=True)
class Step:
    name: str
    seconds: float | None
    reasons: tuple[str, ...] = field(default=(), metadata={"key": "because"})


@dataclass(frozen=True)
class Run:
    outcome: Literal["passed", "failed", 3]
    steps: tuple[Step, ...]
    size: tuple[int, float]
    counts: Mapping[int, Place]
    kinds: frozenset[str]
    folder: Path
    first: Step | None = None
    extra: Any = None
    labels: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tolerant:
    IGNORES_UNKNOWN = True
    rows: int


@dataclass(frozen=True)
class Fraction:
    value: float

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 1:
            raise ValueError(f"{self.value} is not a fraction")


numbers = st.floats(allow_nan=False, allow_infinity=False)
steps = st.builds(Step, st.text(), st.none() | numbers, st.lists(st.text()).map(tuple))
frozen = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
)
runs = st.builds(
    Run,
    st.sampled_from(["passed", "failed", 3]),
    st.lists(steps).map(tuple),
    st.tuples(st.integers(), numbers),
    st.dictionaries(st.integers(), st.builds(Place, st.integers(), st.booleans())),
    st.frozensets(st.text()),
    st.text(st.characters(codec="ascii", exclude_characters="\0")).map(Path),
    st.none() | steps,
    frozen,
    st.dictionaries(st.text(), st.integers() | st.text()),
)
RUN = {"outcome": "passed", "steps": [], "size": [1, 2.5], "counts": {}, "kinds": [], "folder": "runs"}


@given(runs)
def test_a_value_survives_being_written_and_read(run: Run) -> None:
    text = canonical_json(to_json(run))

    again = parse(Run, text, "run.json")

    assert again == run
    assert canonical_json(to_json(again)) == text


@given(st.lists(st.builds(Place, st.integers(), st.booleans())).map(tuple))
def test_a_named_tuple_is_written_as_a_list_and_read_from_a_list_or_an_object(places: tuple[Place, ...]) -> None:
    assert to_json(places) == [[row, test] for row, test in places]
    assert from_json(tuple[Place, ...], to_json(places), "places") == places
    assert from_json(tuple[Place, ...], [place._asdict() for place in places], "places") == places


def test_json_has_the_forms_that_are_documented() -> None:
    run = Run(
        "failed", (Step("train", 1.5, ("slow",)),), (1, 2), {7: Place(1)}, frozenset("ba"), Path("a/b"), extra=(1, (2,))
    )

    assert to_json(run) == {
        "outcome": "failed",
        "steps": [{"name": "train", "seconds": 1.5, "because": ["slow"]}],
        "size": [1, 2],
        "counts": {"7": [1, False]},
        "kinds": ["a", "b"],
        "folder": "a/b",
        "first": None,
        "extra": [1, [2]],
        "labels": {},
    }


def test_a_missing_field_takes_its_default() -> None:
    assert from_json(Run, RUN, "run.json") == Run("passed", (), (1, 2.5), {}, frozenset(), Path("runs"))
    assert from_json(Place, [3], "place") == Place(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": [{"name": "a", "seconds": 1}, {"name": "b", "seconds": "x"}]},
         'steps[1].seconds is "x": it should be a finite number or null'),
        ({"steps": [{"name": "a", "seconds": True}]}, "steps[0].seconds is true: it should be a finite number or null"),
        ({"steps": [{"seconds": 1}]}, "steps[0] has no field name: it should be text"),
        ({"steps": [{"name": "a", "seconds": None, "reasons": []}]},
         "steps[0] has the unknown field reasons: the fields are name, seconds, because"),
        ({"steps": {}}, "steps is an object: it should be a list"),
        ({"size": [1]}, "size is a list of 1: it should be a list of 2"),
        ({"size": [1.5, 1]}, "size[0] is 1.5: it should be an integer"),
        ({"size": [True, 1]}, "size[0] is true: it should be an integer"),
        ({"size": [1, float("nan")]}, "size[1] is NaN: it should be a finite number"),
        ({"size": [1, 10**400]}, "it should be a finite number"),
        ({"counts": {"a": [1]}}, "counts has a key that is not an integer"),
        ({"counts": {"1": [1, True, 2]}}, "counts.1 is a list of 3: it should be an object"),
        ({"counts": {"1": {"row": None}}}, "counts.1.row is null: it should be an integer"),
        ({"kinds": [1]}, "kinds[0] is 1: it should be text"),
        ({"folder": 1}, "folder is 1: it should be text"),
        ({"outcome": "ok"}, 'outcome is "ok": it should be "passed" or "failed" or 3'),
        ({"outcome": 3.0}, "outcome is 3.0"),
        ({"first": {"name": 1, "seconds": 1}}, "first.name is 1: it should be text"),
        ({"first": 1}, "first is 1: it should be an object or null"),
        ({"labels": {"a": 1.5}}, "labels.a is 1.5: it should be an integer or text"),
        ({"labels": {"a": "b" * 100 + "c", "d": None}}, "labels.d is null"),
        ({"outcome": "o" * 100}, "outcome is \"" + "o" * 59 + "…:"),
    ],
)  # fmt: skip
def test_a_mismatch_names_the_file_the_field_the_value_and_the_kind(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as error:
        from_json(Run, RUN | change, Path("runs/run.json"))

    assert str(error.value).startswith("runs/run.json: ")
    assert message in str(error.value)


def test_a_mismatch_of_the_whole_value_is_reported() -> None:
    with pytest.raises(FormatError, match=r"^run.json: the value is a list of 0: it should be an object$"):
        from_json(Run, [], "run.json")


def test_a_class_may_ignore_unknown_fields() -> None:
    assert from_json(Tolerant, {"rows": 1, "columns": 2}, "file") == Tolerant(1)


def test_a_value_that_the_class_refuses_is_a_format_error_with_its_reason() -> None:
    assert from_json(Fraction, {"value": 1}, "file") == Fraction(1)
    with pytest.raises(FormatError, match=r"^file: \[1\] is not valid: 2 is not a fraction$") as error:
        from_json(tuple[Fraction, ...], [{"value": 0}, {"value": 2}], "file")
    assert isinstance(error.value.__cause__, ValueError)
    with pytest.raises(FormatError, match="2 is not a fraction"):
        from_json(tuple[Fraction | None, ...], [{"value": 2}], "file")


@pytest.mark.parametrize("text", ["", "{", "nan", b"\xff", '{"rows": 1}}', "9" * 5000])
def test_broken_json_is_a_format_error(text: str | bytes, tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(FormatError, match=f"{file} is not valid JSON: "):
        read(Tolerant, file)


def test_deep_nesting_is_a_format_error() -> None:
    with pytest.raises(FormatError, match="nested too deeply"):
        parse(Tolerant, "[" * 100_000, "file")
    data: Any = []
    for _ in range(10_000):
        data = [data]
    with pytest.raises(FormatError, match="nested too deeply"):
        from_json(dict[str, Any], {"a": data}, "file")


@given(frozen)
def test_any_json_is_read_or_refused_with_a_format_error(value: Any) -> None:
    for kind in (Run, Step, Place, Tolerant, Fraction, tuple[Place, ...], dict[int, Step]):
        try:
            from_json(kind, json.loads(json.dumps(to_json(value))), "file")
        except FormatError as error:
            assert str(error).startswith("file: ")  # noqa: PT017 - most values are refused


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(Tolerant, tmp_path / "file.json")


def test_kinds_without_a_json_form_are_programming_errors() -> None:
    with pytest.raises(TypeError, match="does not support"):
        from_json(complex, 1, "file")
    with pytest.raises(TypeError, match="no JSON form"):
        to_json(1j)
