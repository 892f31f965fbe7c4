"""needs: what `clean` keeps is enough for the last runs and the promoted versions, and does not grow with the runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.outcome import Outcome
from pipeline.records.needs import Promotions, find_needs
from pipeline.records.run_history import Record
from tests.pipeline.requests import recorded

CONFIG, _ = recorded()
VERDICTS = ("promoted", "refused", "failed", "interrupted", "running", "killed")
# The bundle of each artifact that is an export; two have the same bytes.
BUNDLES = {"e1": "one", "e2": "two", "e3": "two"}
ARTIFACTS = ("a", "b", "c", "d", *BUNDLES)


def record(number: int, verdict: str, artifacts: list[str]) -> Record:
    steps = tuple(Outcome(f"step{index}", "executed", artifact=name) for index, name in enumerate(artifacts))
    return Record(f"{number:04d}", "2026-01-01T00:00:00+00:00", verdict, 1.0, (), CONFIG, steps, {})


def artifacts_in(records) -> set[str]:
    return {step.artifact for record in records for step in record.steps}


# A run exports once, or not at all.
MADE = st.builds(
    lambda others, exported: [*others, *exported],
    st.lists(st.sampled_from("abcd"), max_size=4),
    st.lists(st.sampled_from(sorted(BUNDLES)), max_size=1),
)
DESCRIBED = st.lists(st.tuples(st.sampled_from(VERDICTS), MADE), max_size=9)
RECORDS = DESCRIBED.map(lambda described: [record(number, *what) for number, what in enumerate(described, start=1)])
PROMOTED = st.sets(st.sampled_from(["one", "two", "three"]))
EVIDENCE = st.sets(st.tuples(st.sampled_from([f"{n:04d}" for n in range(1, 10)]), st.sampled_from(["one", "two"])))


@given(RECORDS, PROMOTED, EVIDENCE, st.integers(1, 10))
def test_enough_is_kept(records, promoted, evidence, keep):
    needed = find_needs(records, BUNDLES, Promotions(frozenset(promoted), frozenset(evidence)), keep)
    last = records[-keep:]
    kept = [r for r in records if r.run in needed.runs]
    assert {r.run for r in last} <= needed.runs <= needed.records
    assert needed.artifacts == artifacts_in(kept)
    assert needed.unfinished == any(r.verdict not in ("promoted", "refused") for r in last)
    bundles = {r.run: [BUNDLES[name] for name in artifacts_in([r]) if name in BUNDLES] for r in records}
    # A promoted version has a run with all its artifacts, and so has each promotion that a registry remembers.
    for bundle in promoted:
        assert any(bundle in bundles[r.run] for r in kept) == any(bundle in found for found in bundles.values())
    for run, bundle in evidence:
        if bundles.get(run) == [bundle]:
            assert run in needed.runs
    # No artifact is without the record of the run that made it.
    makers = {next(r.run for r in records if name in artifacts_in([r])) for name in artifacts_in(records)}
    assert makers <= needed.records


@given(RECORDS, PROMOTED, EVIDENCE, st.integers(1, 5))
def test_as_much_as_needed_is_kept_and_no_more(records, promoted, evidence, keep):
    promotions = Promotions(frozenset(promoted), frozenset(evidence))
    needed = find_needs(records, BUNDLES, promotions, keep)
    assert len(needed.runs) <= keep + len(promoted) + len(evidence)
    assert len(needed.records) <= len(needed.runs) + len(ARTIFACTS)
    # To clean again changes nothing.
    left = [r for r in records if r.run in needed.records]
    assert find_needs(left, BUNDLES, promotions, keep) == needed


@given(RECORDS, PROMOTED, EVIDENCE, st.integers(1, 5), st.integers(1, 30))
def test_runs_with_nothing_to_do_add_nothing(records, promoted, evidence, keep, nights):
    promotions = Promotions(frozenset(promoted), frozenset(evidence))
    every_night = ["a", "b", "e1"]
    start = [*records, record(len(records) + 1, "promoted", every_night)]
    later = [record(len(start) + night, "promoted", every_night) for night in range(1, nights + 1)]
    before, after = (find_needs(r, BUNDLES, promotions, keep) for r in (start, [*start, *later]))
    numbers = {f"{number:04d}" for number in range(len(start) + 1, len(start) + nights + 1)}
    # Not more than the last ones, and those that an event names.
    assert len(after.records & numbers) <= keep + len(evidence)
    assert after.records - numbers <= before.records
