"""Bundle + Agreement + Examples + Evaluation -> Verification: may the bundle serve in the place of the model?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.verification import Agreement, Verification
from components.verify.cost_rules import CostLimits
from serving.arguments.ranges import Range, require_ranges

# The reasons name the first rules only: classes, probabilities, batches, the process without TensorFlow.
SHOWN_RULES = 4


@dataclass(frozen=True)
class Params(CostLimits):
    """Limits on the costs of scoring.

    Attributes:
        fresh_rows: number of test images that the process without TensorFlow scores.
    """

    fresh_rows: Annotated[int, Range(1, 10**9)] = 10_000

    def __post_init__(self) -> None:
        """Checks the limits. Raises: InputError: a limit is out of range, so that it would verify nothing."""
        super().__post_init__()
        require_ranges(self, Params, "--verify.")


def run(
    bundle: Bundle,
    converted: Bundle,
    agreement: Agreement,
    examples: Examples,
    evaluation: Evaluation,
    params: Params,
    out: Path,
) -> Verification:
    """Checks that the bundle has the files that agree with the model, and judges them by the gate and the limits."""
    from components.gate import verdict
    from components.verify.bundle_rules import check_bundle

    rules = check_bundle(bundle, converted, agreement, examples, evaluation, params)
    passed, reasons = verdict(rules)
    scored = "float32" in agreement.precisions
    verification = Verification(
        path=out,
        bundle_sha256=bundle.sha256,
        rows=agreement.rows,
        correct=int((agreement.classes("float32") == examples.all_labels("test")).sum()) if scored else 0,
        disagreements=agreement.disagreements,
        max_difference=agreement.max_difference,
        used_fraction=agreement.used_fraction,
        rules=tuple(rules),
        passed=passed,
        # If all rules hold, the reasons name the first ones; `rules` has the others.
        reasons=reasons[:SHOWN_RULES] if passed else reasons,
    ).save()
    measured = agreement.measured()
    return verification if measured is None else verification.write_measured(measured)
