"""significance: Holm's correction gives the values of R and rejects as the step-down procedure does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.significance import holm

p_values = st.lists(st.floats(0, 1), max_size=12)


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        # R 4.3: p.adjust(p, "holm")
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.04, 0.001, 0.03], [0.06, 0.003, 0.06]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
    ],
)
def test_values_equal_those_of_r(given, adjusted):
    assert holm(given) == pytest.approx(adjusted)


@given(p_values, st.floats(0.001, 0.5))
def test_same_hypotheses_are_rejected_as_by_the_step_down_procedure(values, level):
    """Compares the smallest with level / m, the next with level / (m - 1), until one is above."""
    rejected = set()
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        if (len(values) - rank) * values[index] > level:
            break
        rejected.add(index)
    assert {index for index, p in enumerate(holm(values)) if p <= level} == rejected


@given(st.permutations(range(6)), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_order_does_not_matter(order, values):
    adjusted = holm(values)
    assert holm([values[index] for index in order]) == tuple(adjusted[index] for index in order)


@given(p_values)
def test_adjusted_value_is_at_least_the_value_and_at_most_one(values):
    assert all(p <= adjusted <= 1 for p, adjusted in zip(values, holm(values), strict=True))
