"""plain_flags: what it reads, tyro reads too, to the same values and the same errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.settings.flags import tyro_flags
from pipeline.settings.options import _defaults
from pipeline.settings.plain_flags import plain_flags
from serving.errors import InputError

DEFAULTS = _defaults([])
FLAGS = [
    *("--dataset", "--model", "--runs", "--data-dir", "--seed", "--track", "--validate.schema"),
    *("--train.epochs", "--train.loss", "--train.learning-rate", "--train.hidden", "--train.batch_size"),
    *("--ingest.resize", "--ingest.skip-bad", "--evaluate.min-accuracy", "--promote.gate", "--transform.rotation"),
    *("--explain", "--no-explain", "--no-promotion", "--promotion", "--no-dataset", "--train", "--epochs", "--", "-h"),
    *("--train.epochs.more", "--__class__", "--train.__class__", "texts"),
]
VALUES = [
    *(
        "",
        "0",
        "7",
        "007",
        "-1",
        "1_000",
        "+3",
        "1e3",
        "0.5",
        ".5",
        "5.",
        "nan",
        "inf",
        "١",
        "None",
        "none",
        "True",
        "mlflow",
    ),
    *("a b", "a=b", "-x", "--seed", "~/x", "sparse_categorical_crossentropy", "99999999999999999999", "28 28", " 7"),
]
ARGUMENTS = st.lists(
    st.one_of(
        st.sampled_from(FLAGS).map(lambda flag: [flag]),
        st.tuples(st.sampled_from(FLAGS), st.sampled_from(VALUES)).map(list),
        st.tuples(st.sampled_from(FLAGS), st.sampled_from(VALUES)).map(lambda pair: ["=".join(pair)]),
    ),
    max_size=3,
).map(lambda parts: [word for part in parts for word in part])


def outcome(read, arguments):
    try:
        return read(arguments)
    except InputError as error:
        return str(error)


def quickly_read(arguments):
    return outcome(lambda given: plain_flags(DEFAULTS, given), arguments)


def read_by_tyro(arguments):
    return outcome(lambda given: tyro_flags(DEFAULTS, "run", given), arguments)


PLAIN = [
    texts
    for flag in FLAGS
    for texts in ([flag], *([flag, value] for value in VALUES), *([f"{flag}={value}"] for value in VALUES))
    if quickly_read(texts) is not None
]


def test_each_plain_flag_is_read_as_tyro_reads_it():
    assert len(PLAIN) > 100
    for texts in PLAIN:
        assert quickly_read(texts) == read_by_tyro(texts), texts


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(PLAIN), min_size=2, max_size=5).map(
        lambda parts: [word for part in parts for word in part]
    )
)
def test_plain_flags_together_are_read_as_tyro_reads_them(arguments):
    if (quickly := quickly_read(arguments)) is not None:
        assert quickly == read_by_tyro(arguments)


@settings(max_examples=300, deadline=None)
@given(ARGUMENTS)
@example(["--train.epochs", "0"])
@example(["--train.epochs", "3", "--train.loss=categorical_crossentropy", "--no-promotion", "--seed", "9"])
@example(["--train.epochs", "3", "--train.epochs", "4"])
def test_any_arguments_are_read_as_tyro_reads_them(arguments):
    if (quickly := quickly_read(arguments)) is not None:
        assert quickly == read_by_tyro(arguments)


def test_usual_command_lines_are_plain():
    read = plain_flags(DEFAULTS, ["--dataset", "digits", "--runs=r", "--train.epochs", "3", "--force", "--model", "m"])
    assert (read.dataset, read.runs, read.train.epochs, read.force, read.model) == ("digits", Path("r"), 3, True, "m")
    assert read.train.batch_size == DEFAULTS.train.batch_size
    assert plain_flags(DEFAULTS, []) == DEFAULTS


@pytest.mark.parametrize(
    "arguments", [["--runs"], ["--nothing", "1"], ["--train.epochs", "x"], ["--ingest.resize", "8", "8"], ["--help"]]
)
def test_all_else_is_left_to_tyro(arguments):
    assert plain_flags(DEFAULTS, arguments) is None
