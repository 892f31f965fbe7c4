"""The records of all runs -> what `clean` keeps: runs with their files, artifacts, and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.records.run_history import KILLED, RUNNING, Record

UNFINISHED = (RUNNING, KILLED, "interrupted", "failed")


@dataclass(frozen=True)
class Promotions:
    """What the registries have.

    Attributes:
        bundles: digests of all promoted bundles.
        evidence: each run that a promotion event names, with the digest of the bundle that it promoted.
    """

    bundles: frozenset[str]
    evidence: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Needs:
    """What must be kept.

    Attributes:
        runs: numbers of the runs whose logs, cards, pictures and TensorBoard files are kept.
        artifacts: names of the artifacts' folders.
        records: numbers of the runs whose records are kept.
        unfinished: whether one of the last runs did not finish: then its unfinished artifacts are kept, and artifacts
            that no record names, because it may have made them.
    """

    runs: frozenset[str]
    artifacts: frozenset[str]
    records: frozenset[str]
    unfinished: bool


def find_needs(records: Sequence[Record], bundles: Mapping[str, str], promotions: Promotions, keep: int) -> Needs:
    """What must be kept for the last `keep` runs, 1 or more, and for the promoted versions.

    The number of records that are kept grows with the artifacts that were ever made, not with the runs: a run that
    found all of them has nothing that an earlier record does not have.

    Args:
        records: oldest first.
        bundles: the bundle's digest, by the folder name of its export artifact.
        promotions: those of all registries.
        keep: number of runs.
    """
    last = {record.run for record in records[-keep:]}
    makers: set[str] = set()
    first: set[str] = set()
    seen: set[str] = set()
    for record in records:
        bundle = next((bundles[name] for name in record.artifacts if name in bundles), record.figures.get("bundle"))
        # Another folder of runs that promotes to the same registry has a run with this number too.
        if (record.run, bundle) in promotions.evidence or (bundle in promotions.bundles and bundle not in seen):
            makers.add(record.run)
        named = {*record.artifacts, *([] if bundle is None else [bundle])}
        if not named <= seen:
            first.add(record.run)
        seen |= named
    runs = frozenset(last | makers)
    return Needs(
        runs=runs,
        artifacts=frozenset(name for record in records if record.run in runs for name in record.artifacts),
        records=runs | first,
        unfinished=any(record.verdict in UNFINISHED for record in records[-keep:]),
    )
