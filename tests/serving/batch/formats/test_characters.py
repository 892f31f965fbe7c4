"""characters: every number is written as Python's own formatting writes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.batch.formats.characters import NUMBER, PADDING, fractions, integers, lines, texts


def written(characters):
    return lines([characters, b"\n"], np.ones(len(characters), bool)).decode()


def by_python(template, values):
    return "".join(template % value + "\n" for value in values.tolist())


@given(arrays.arrays(np.int64, st.integers(0, 20), elements=st.integers(0, 2**62)))
def test_integers_are_written_as_python_writes_them(values):
    assert written(integers(values)) == by_python("%d", values)


@pytest.mark.parametrize("last", [9, 10, 9_999, 10_000, 10_001, 99_999_999, 100_000_000, 10**18])
def test_integers_around_a_power_of_ten(last):
    values = np.arange(max(0, last - 20), last + 20)
    assert written(integers(values)) == by_python("%d", values)


@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(0, 1, width=32)))
def test_fractions_are_written_as_python_writes_them(values):
    assert written(fractions(values)) == by_python(NUMBER, values)


@given(arrays.arrays(np.float32, st.integers(1, 50), elements=st.floats(np.float32(0.1), 1, width=32)))
def test_confidences_are_written_as_python_writes_them(values):
    assert written(fractions(values)) == by_python(NUMBER, values)


def test_halves_ones_and_their_neighbours():
    dyadic = np.arange(1, 1 << 14, dtype=np.float32) / (1 << 14)
    edges = np.array([1.0, np.nextafter(np.float32(1), np.float32(0)), 0.1, 0.5, 0.99999995, 0.19921875], np.float32)
    values = np.concatenate([dyadic[dyadic >= 0.1], edges])
    assert written(fractions(values)) == by_python(NUMBER, values)
    every = np.frombuffer(np.arange(0x3DCCCCCD, 0x3F800001, 997, dtype=np.uint32).tobytes(), np.float32)
    assert every.min() >= 0.1
    assert written(fractions(every)) == by_python(NUMBER, every)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8)))
def test_texts_are_unchanged(values):
    characters = texts(values)
    assert [bytes(row[row != PADDING]).decode() for row in characters] == values


def test_only_kept_rows_are_written():
    kept = np.array([True, False, True])
    assert lines([b"<", integers(np.array([1, 20, 300])), b",", texts(["a", "bb", "雪"]), b">"], kept) == (
        "<1,a><300,雪>".encode()
    )
    assert lines([b"x", texts([])], np.ones(0, bool)) == b""
