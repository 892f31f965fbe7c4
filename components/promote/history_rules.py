"""Promotion events + candidate -> Rules: is it far below the best version, and was it rolled back before?"""

from __future__ import annotations

from pathlib import Path

from components.artifacts.artifact import RuleResult
from components.promote.champion import LoadedTestSet, list_names
from components.promote.margin import Limits
from serving.bundle.bundle import load_bundle
from serving.errors import BeamlineError
from serving.process.program import PIPELINE
from serving.registry.promotion_events import PromotionEvent, PromotionEvents


def drop_rules(
    accuracy: float, events: PromotionEvents, folder: Path, test_set: LoadedTestSet, limits: Limits
) -> tuple[RuleResult, ...]:
    """Compares the candidate with the best version ever promoted, so that insignificant losses cannot add up.

    Versions that were rolled back do not count. A version with evidence from another test set is scored on this one.
    There is no rule without a limit, or without a version to compare with.

    Args:
        accuracy: the candidate's, a fraction.
        events: all promotion events of the model.
        folder: the model's folder in the registry, with its versions.
        test_set: the candidate's test split.
        limits: the largest difference by which the accuracy may be below the best one.
    """
    if limits.drop is None:
        return ()
    best, version, unknown = _best(events, folder, test_set)
    left_out = (
        f"; versions that cannot be scored on this data are not counted: {list_names(unknown)}" if unknown else ""
    )
    if not version:
        return ()
    passed = is_within(limits.drop, best, accuracy, len(test_set.labels))
    text = (
        f"accuracy {accuracy:.4f} {'≥' if passed else '<'} {best - limits.drop:.4f} (best promoted accuracy "
        f"{best:.4f}, version {version}, minus {limits.drop_origin}){left_out}"
    )
    return (RuleResult("drop", passed, text),)


def is_within(drop: float, best: float, accuracy: float, rows: int) -> bool:
    """Whether an accuracy is not more than a limit below another one on the same rows."""
    # In whole rows: with fractions, a rounding error would refuse a drop of exactly the limit.
    return round((best - accuracy) * rows, 6) <= drop * rows


def _best(events: PromotionEvents, folder: Path, test_set: LoadedTestSet) -> tuple[float, int, list[int]]:
    """Accuracy and version of the best version, 0 and 0 if there is none; and the versions that cannot be scored."""
    best, version, unknown = 0.0, 0, list[int]()
    blocked = events.rolled_back()
    for event in {event.bundle_sha256: event for event in events.events}.values():
        if event.bundle_sha256 in blocked:
            continue
        reached: float | None = event.evidence.accuracy
        if event.evidence.test_sha256 != test_set.sha256:
            reached = _accuracy(folder / str(event.to_version), event.bundle_sha256, test_set)
        if reached is None:
            unknown.append(event.to_version)
        elif reached > best:
            best, version = reached, event.to_version
    return best, version, unknown


def rollback_rules(blocking: PromotionEvent | None, run: str, gap: str | None, manual: bool) -> tuple[RuleResult, ...]:
    """A model that was rolled back is promoted again only if a person asks for it: `manual`.

    Args:
        blocking: the rollback from this bundle or these weights; None if there was none.
        run: the run that made the bundle.
        gap: the events that are missing in the history, as a sentence; None if it is complete.
        manual: a person asks for the promotion.
    """
    rules = []
    if gap is not None:
        rules.append(RuleResult("history", manual, gap))
    if blocking is not None:
        text = f"{blocking.user} rolled back a version with these weights at {blocking.time} ({blocking.reason})"
        remedy = f"to promote it anyway, use `{PIPELINE} promote {run} --reason TEXT`"
        rules.append(RuleResult("rollback", manual, f"{text}: {'promoted again on request' if manual else remedy}"))
    return tuple(rules)


def _accuracy(path: Path, sha256: str, test_set: LoadedTestSet) -> float | None:
    """A version's accuracy on the test set; None if it is missing or damaged, or cannot score these images."""
    try:
        return float((test_set.predictions(load_bundle(path, sha256)) == test_set.labels).mean())
    except BeamlineError:
        return None
