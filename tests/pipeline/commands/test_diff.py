"""diff: what differs between two runs."""

from __future__ import annotations


def test_diff_lists_configuration_inputs_and_results(two_runs, lines):
    text = lines("diff", "1", "2")
    assert text[0] == "run 0001 -> run 0002"
    lines_found = {'run verdict: "promoted" -> "refused"', "train seed: 7 -> 8", "train hidden: [128, 128] -> [64]"}
    assert lines_found <= set(text)
    at = next(index for index, line in enumerate(text) if line.startswith("evaluate: "))
    assert text[at + 1] == "  params limit: 10 -> 2"
    assert text[at + 2].startswith("  was: the number")
    assert text[at + 3].startswith("  now: the number")
    assert text[-1] == "the same in both: count"


def test_diff_of_a_run_with_itself_finds_nothing(two_runs, lines):
    assert lines("diff", "1", "1") == ["run 0001 -> run 0001", "the same in both: count, evaluate, publish"]
