"""suggestions: the nearest known name, or none."""

from __future__ import annotations

import pytest

from serving.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("name", "expected"), [("mnits", "mnist"), ("mnist", "mnist"), ("cifar", "cifar10"), ("zebra", None), ("", None)]
)
def test_nearest_known_name_is_found(name, expected):
    assert nearest(name, ("mnist", "cifar10")) == expected
    assert nearest(name, ()) is None


def test_suggestion_is_a_question_or_empty():
    assert did_you_mean("mnits", ["cifar10", "mnist"]) == "did you mean mnist? "
    assert did_you_mean("zebra", ["cifar10", "mnist"]) == ""
