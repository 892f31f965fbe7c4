"""verify: limits on the costs of scoring refuse with the figure; limits out of range are refused."""

from __future__ import annotations

import pytest

from components.artifacts.verification import Measured
from components.verify.cost_rules import limit_rules
from components.verify.verify import Params
from serving.errors import InputError


@pytest.mark.parametrize(
    ("limit", "name", "reason"),
    [
        (
            {"max_load_seconds": 1e-9},
            "load time",
            "s is above the limit of 1e-09 s: change --verify.max-load-seconds, or",
        ),
        (
            {"min_images_per_second": 1e12},
            "rate",
            "images/s is below the limit of 1e+12 images/s: change --verify.min-images-per-second, or",
        ),
        ({"max_memory_mb": 1e-3}, "memory", "MB is above the limit of 0.001 MB: change --verify.max-memory-mb, or"),
    ],
)
def test_limit_that_is_missed_refuses_with_the_figure(made, verify_bundle, limit, name, reason):
    refused = verify_bundle(made.bundle, params=Params(**limit))
    assert not refused.passed
    assert len(refused.reasons) == 1
    assert refused.reasons[0].startswith(f"{name} ")
    assert refused.reasons[0].endswith(f" {reason} measure again with --force")


def test_limits_that_hold_are_reported_without_figures():
    measured = Measured(load_seconds=0.123456, images_per_second=54_321.9, peak_memory_bytes=98_765_432)
    rules = limit_rules(measured, Params(max_load_seconds=1, min_images_per_second=1000, max_memory_mb=200))
    assert [(rule.name, rule.passed, rule.message) for rule in rules] == [
        ("load time", True, "load time at most 1 s"),
        ("rate", True, "rate at least 1000 images/s"),
        ("memory", True, "memory at most 200 MB"),
    ]
    assert limit_rules(measured, Params()) == []


@pytest.mark.parametrize("name", ["max_load_seconds", "min_images_per_second", "max_memory_mb"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limit_that_is_not_above_0_is_refused(name, value):
    with pytest.raises(InputError, match=f"--verify.{name.replace('_', '-')}"):
        Params(**{name: value})


def test_limit_that_is_just_reached_holds():
    measured = Measured(load_seconds=0.5, images_per_second=1000, peak_memory_bytes=200_000_000)
    rules = limit_rules(measured, Params(max_load_seconds=0.5, min_images_per_second=1000, max_memory_mb=200))
    assert [rule.passed for rule in rules] == [True] * 3


def test_zero_rows_for_the_process_are_refused():
    with pytest.raises(InputError, match=r"--verify\.fresh-rows 0: give 1 to 1,000,000,000"):
        Params(fresh_rows=0)
