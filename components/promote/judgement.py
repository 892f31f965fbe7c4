"""Candidate + champion -> Promotion: the rules of the champion and of the history, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.promotion import Promotion, serving_text
from components.artifacts.verification import Verification
from components.gate import verdict
from components.promote.champion import ChampionComparison, LoadedTestSet, compare_with_champion
from components.promote.history_rules import drop_rules, rollback_rules
from components.promote.margin import limits_of
from components.promote.promote import Params
from components.run_context import RunContext
from serving.registry.pointer import Pointer
from serving.registry.promotion_events import Evidence
from serving.registry.registry import Promoted


def promotion_rules(
    bundle: Bundle,
    evaluation: Evaluation,
    test_set: LoadedTestSet,
    pointer: Pointer,
    champion: Promoted | None,
    params: Params,
    context: RunContext,
) -> tuple[list[RuleResult], ChampionComparison | None]:
    """All rules, each computed even if another one refuses."""
    events, gap = pointer.promotion_events(), pointer.history_problem()
    limits = limits_of(params.margin, params.max_drop_fraction, context.margin)
    rule, comparison = compare_with_champion(evaluation.predictions(), champion, test_set, params.compare, limits)
    drop = drop_rules(evaluation.accuracy, events, pointer.folder, test_set, limits)
    blocking = events.blocking(bundle.sha256, evaluation.weights_sha256)
    return [rule, *drop, *rollback_rules(blocking, context.run, gap, context.manual)], comparison


def evidence_of(
    context: RunContext, evaluation: Evaluation, verification: Verification, comparison: ChampionComparison | None
) -> Evidence:
    """What the history keeps of a promotion."""
    return Evidence(
        run=context.run,
        evaluation_sha256=evaluation.digest(),
        verification_sha256=verification.digest(),
        accuracy=evaluation.accuracy,
        test_sha256=evaluation.test_sha256,
        weights_sha256=evaluation.weights_sha256,
        difference=None if comparison is None else comparison.difference,
    )


def write_promotion(
    bundle: Bundle,
    context: RunContext,
    out: Path,
    rules: list[RuleResult],
    champion: Promoted | None = None,
    comparison: ChampionComparison | None = None,
    promoted: Promoted | None = None,
) -> Promotion:
    """Writes the outcome; without `promoted`, the rules refused."""
    passed, reasons = verdict(rules)
    return Promotion(
        path=out,
        model=context.model,
        version=None if promoted is None else promoted.version,
        bundle_sha256=bundle.sha256,
        champion=None if champion is None else champion.version,
        gained=None if comparison is None else comparison.difference.gained,
        lost=None if comparison is None else comparison.difference.lost,
        interval=None if comparison is None else (comparison.difference.low, comparison.difference.high),
        p=None if comparison is None else comparison.p,
        discordant=() if comparison is None else comparison.images,
        rules=tuple(rules),
        passed=passed,
        reasons=reasons if promoted is None else (serving_text(promoted, "serves now"), *reasons),
    ).save()
