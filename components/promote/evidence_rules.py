"""Bundle + Evaluation + Verification + Examples -> Rules: did exactly this bundle pass on these test images?"""

from __future__ import annotations

from components.artifacts.artifact import RuleResult
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.verification import Verification
from serving.bundle.bundle import Bundle

REMEDY = "run the pipeline again with --force"


def evidence_rules(
    opened: Bundle, evaluation: Evaluation, verification: Verification, examples: Examples
) -> list[RuleResult]:
    """Whether evaluation and verification passed, and belong to this bundle and these test images."""
    candidate, test = opened.sha256[:12], examples.sha256("test")
    evaluated, weights = (str(opened.manifest.gate.get(f"{kind}_sha256")) for kind in ("evaluation", "weights"))
    return [
        RuleResult("evaluation passed", evaluation.passed, "; ".join(evaluation.reasons)),
        RuleResult("verification passed", verification.passed, "; ".join(verification.reasons)),
        RuleResult(
            "evaluation",
            evaluation.digest() == evaluated,
            f"bundle {candidate} was exported with evaluation {evaluated[:12]}, not with {evaluation.digest()[:12]}"
            f": {REMEDY}",
        ),
        RuleResult(
            "weights",
            evaluation.weights_sha256 == weights,
            f"the evaluation is of weights {evaluation.weights_sha256[:12]}, the bundle has {weights[:12]}: {REMEDY}",
        ),
        RuleResult(
            "verification",
            verification.bundle_sha256 == opened.sha256,
            f"the verification is of bundle {verification.bundle_sha256[:12]}, the candidate is {candidate}: {REMEDY}",
        ),
        RuleResult(
            "test images",
            evaluation.test_sha256 == test,
            f"the evaluation is of test images {evaluation.test_sha256[:12]}, the examples have {test[:12]}: {REMEDY}",
        ),
    ]
