"""Bundle + Evaluation + Verification + Examples -> Promotion: may the candidate take the champion's place?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.promotion import Promotion, serving_text
from components.artifacts.verification import Verification
from components.promote.margin import Auto, Compare
from components.run_context import RunContext
from serving.arguments.ranges import Range, require_ranges
from serving.errors import InputError
from serving.registry.registry import Registry
from serving.registry.server_files import up_to_date_version


@dataclass(frozen=True)
class Params:
    """The limits of a promotion.

    Attributes:
        compare: `not-worse` refuses a candidate that is significantly worse than the champion by more than the margin,
            on the same test images, `better` one that is not significantly better; `off` does not compare.
        margin: a loss of accuracy that does not matter, a fraction; `auto` is what the seed alone moves a model of this
            recipe, if `compare --seeds` measured it, and otherwise 0.004.
        max_drop_fraction: largest difference by which the accuracy may be below that of the best version ever promoted,
            e.g. 0.01 for one percentage point; `auto` is three margins and at least 0.01, None sets no limit.
    """

    compare: Compare = "not-worse"
    margin: Annotated[float | Auto, Range(0, 1)] = "auto"
    max_drop_fraction: Annotated[float | Auto | None, Range(0, 1)] = "auto"

    def __post_init__(self) -> None:
        """Checks the limits. Raises: InputError: one is not a fraction, or they contradict each other."""
        require_ranges(self, Params, "--promote.")
        margin, drop = self.margin, self.max_drop_fraction
        if margin != "auto" and isinstance(drop, float | int) and drop < margin:
            raise InputError(
                f"--promote.max-drop-fraction {drop:g} is smaller than --promote.margin {margin:g}: give a margin that "
                "is not larger than the drop"
            )


def up_to_date(bundle: Bundle, context: RunContext) -> str | None:
    """A message if exactly this bundle serves already and nothing is left to do; otherwise None."""
    current = up_to_date_version(Registry(context.models), context.model, bundle.sha256)
    return None if current is None else serving_text(current, "already serves")


def run(
    bundle: Bundle,
    evaluation: Evaluation,
    verification: Verification,
    examples: Examples,
    params: Params,
    context: RunContext,
    out: Path,
) -> Promotion:
    """Checks the candidate against the champion and the history, and publishes it; holds the pointer's lock meanwhile.

    Raises:
        InputError: the model's name is invalid, or the model belongs to another data set.
        BundleError: the bundle was changed since its export, or the pointer is missing.
    """
    from components.gate import verdict
    from components.promote.champion import LoadedTestSet
    from components.promote.evidence_rules import evidence_rules
    from components.promote.judgement import evidence_of, promotion_rules, write_promotion
    from serving.registry.pointer import lock_pointer
    from serving.registry.versions import require_same_dataset

    opened = bundle.opened()
    bundle_rules = evidence_rules(opened, evaluation, verification, examples)
    if not verdict(bundle_rules)[0]:
        return write_promotion(bundle, context, out, [rule for rule in bundle_rules if not rule.passed])
    test_set = LoadedTestSet.of(examples)
    with lock_pointer(Registry(context.models), context.model) as pointer:
        require_same_dataset(pointer.folder, opened)
        champion = pointer.serving_or_none() if context.manual else pointer.require_known_serving()
        if champion is not None and champion.sha256 == bundle.sha256:
            rules, comparison = [RuleResult("champion", True, "it is the champion itself")], None
        else:
            rules, comparison = promotion_rules(bundle, evaluation, test_set, pointer, champion, params, context)
        if not verdict(rules)[0]:
            return write_promotion(bundle, context, out, rules, champion, comparison)
        reason = context.reason or "; ".join(rule.message for rule in rules)
        evidence = evidence_of(context, evaluation, verification, comparison)
        promoted = pointer.promote(opened, evidence, reason, context.manual)
    return write_promotion(bundle, context, out, rules, champion, comparison, promoted)
