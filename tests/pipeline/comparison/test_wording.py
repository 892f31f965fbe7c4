"""wording: a table in plain text, the differences of all pairs, and the verdict."""

from __future__ import annotations

from pipeline.comparison.comparison import Rate
from pipeline.comparison.wording import (
    describe_differences,
    describe_failures,
    describe_verdict,
    format_rate,
    format_table,
)
from tests.pipeline.comparison.entries import comparison, entry, failed

FOUND = comparison(
    entry("small", 900), entry("best", 980), entry("near", 978), entry("no", 700, verdict="refused"), failed("gone")
)


def test_table_has_one_line_for_each_entry_the_best_first():
    heading, rule, *lines = format_table(FOUND).splitlines()
    assert heading.split()[:3] == ["preset", "run", "parameters"]
    assert set(rule) <= {"─", " "}
    assert [line.split()[0] for line in lines] == ["best", "near", "small", "no", "gone"]
    assert "0.9800 (0.9693 to 0.9870)" in lines[0]
    assert "12.5 s" in lines[0]
    assert "1,230,000 (1,000,000 to 1,400,000)" in lines[0]
    assert lines[3].endswith("refused by evaluate")
    assert lines[4].endswith("failed")
    assert describe_failures(FOUND) == [
        "no: too few",
        "gone: the run did not finish (exit code -9)",
    ]


def test_names_are_not_markup():
    assert format_table(comparison(entry("[b]", 900))).splitlines()[2].startswith("[b] ")


def test_rates_have_three_digits():
    assert format_rate(Rate(98.7, 12.34, 123_456.0)) == "99 (12 to 123,000)"


def test_every_pair_is_in_a_line():
    # If one model alone is correct on n images, and the other on none, the two-sided mid-p is 1 / 2 ** n.
    no, small = f"280 gained, 0 lost, adjusted p {6 / 2**280:.2g}", f"80 gained, 0 lost, adjusted p {3 / 2**80:.2g}"
    no_near, small_near = (
        f"278 gained, 0 lost, adjusted p {5 / 2**278:.2g}",
        f"78 gained, 0 lost, adjusted p {2 / 2**78:.2g}",
    )
    assert describe_differences(FOUND) == [
        f"best is significantly better than small ({small}), no ({no})",
        f"near is significantly better than small ({small_near}), no ({no_near})",
        f"small is significantly better than no (200 gained, 0 lost, adjusted p {4 / 2**200:.2g})",
        "no significant difference between best and near",
    ]


def test_verdict_is_one_sentence():
    assert describe_verdict(FOUND) == (
        "best is the most accurate preset that passed every gate: 0.9800 (0.9693 to 0.9870); "
        "not significantly better than near"
    )
    assert describe_verdict(comparison(entry("a", 900), entry("b", 100))).endswith(
        "significantly better than the others that passed"
    )
    assert describe_verdict(comparison(entry("a", 900), failed("b"))).endswith("), the only one that passed")
    # It has more correct predictions, and there is no significant difference, but it did not pass.
    refused = entry("b", 901, verdict="refused")
    assert describe_verdict(comparison(entry("a", 900), refused)).endswith("), the only one that passed")
    assert describe_verdict(comparison(failed("a"), failed("b"))) == "none of 2 presets passed every gate"
