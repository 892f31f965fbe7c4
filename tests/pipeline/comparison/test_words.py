"""words: a table that is readable in a pipe, and sentences in which every pair is found."""

from __future__ import annotations

from pipeline.comparison.comparison import Rate
from pipeline.comparison.words import differences, rate, reasons, table, verdict
from tests.pipeline.comparison.entries import comparison, entry, failed

FOUND = comparison(
    entry("small", 900), entry("best", 980), entry("near", 978), entry("no", 700, verdict="refused"), failed("gone")
)


def test_table_has_a_line_for_each_the_best_first():
    heading, rule, *lines = table(FOUND).splitlines()
    assert heading.split()[:3] == ["preset", "run", "parameters"]
    assert set(rule) <= {"─", " "}
    assert [line.split()[0] for line in lines] == ["best", "near", "small", "no", "gone"]
    assert "0.9800 (0.9693 to 0.9870)" in lines[0]
    assert "12.5 s" in lines[0]
    assert "1,230,000 (1,000,000 to 1,400,000)" in lines[0]
    assert lines[3].endswith("refused by evaluate")
    assert lines[4].endswith("failed")
    assert reasons(FOUND) == ["no: too few", "gone: its process ended with -9"]


def test_name_is_a_name_whatever_it_looks_like():
    assert table(comparison(entry("[b]", 900))).splitlines()[2].startswith("[b] ")


def test_rates_have_the_digits_that_were_measured():
    assert rate(Rate(98.7, 12.34, 123_456.0)) == "99 (12 to 123,000)"


def test_every_pair_is_told():
    # Of n images that one alone gets right, and none that the other does, the two-sided mid-p is 1 / 2 ** n.
    no, small = f"280 gained, 0 lost, adjusted p {6 / 2**280:.2g}", f"80 gained, 0 lost, adjusted p {3 / 2**80:.2g}"
    no_near, small_near = (
        f"278 gained, 0 lost, adjusted p {5 / 2**278:.2g}",
        f"78 gained, 0 lost, adjusted p {2 / 2**78:.2g}",
    )
    assert differences(FOUND) == [
        f"best is better than small ({small}), no ({no})",
        f"near is better than small ({small_near}), no ({no_near})",
        f"small is better than no (200 gained, 0 lost, adjusted p {4 / 2**200:.2g})",
        "not told apart: best, near",
    ]


def test_verdict_is_one_sentence():
    assert verdict(FOUND) == (
        "best is the most accurate that passed every gate: 0.9800 (0.9693 to 0.9870); not told apart from it: near"
    )
    assert verdict(comparison(entry("a", 900), entry("b", 100))).endswith(
        "significantly better than the others that passed"
    )
    assert verdict(comparison(entry("a", 900), failed("b"))).endswith("the only one")
    # It has more right answers, and the two cannot be told apart: it did not pass.
    refused = entry("b", 901, verdict="refused")
    assert verdict(comparison(entry("a", 900), refused)).endswith("), the only one")
    assert verdict(comparison(failed("a"), failed("b"))) == "none of 2 presets passed every gate"
