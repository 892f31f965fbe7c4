"""Bundle + Evaluation + Verification + Examples -> Promotion: may the candidate take the champion's place?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import serving.bundle
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.promotion import Promotion
from components.artifacts.rule import Rule, verdict
from components.artifacts.verification import Verification
from components.champion import Compare, Compared, HeldOut, compare, drop, remembered
from serving.errors import InputError
from serving.history import Evidence
from serving.pointer import Pointer, held
from serving.registry import Promoted, Registry
from serving.versions import require_same_dataset


@dataclass(frozen=True)
class Params:
    """Where to, and what it takes.

    Attributes:
        model: the model's name.
        models: the registry's folder.
        run: the run that made the bundle, for the record.
        compare: `not-worse` refuses a candidate that the champion significantly beats on the same test images,
            `better` one that does not significantly beat the champion; `off` compares with no champion.
        max_drop_fraction: how far the accuracy may be under that of the best version ever promoted, a fraction; None
            sets no limit.
        reason: why it is promoted, in a person's words; where there are none, the comparison's.
        restore: a person asks for it: promote also what was rolled back from, or where nobody can say what was.
    """

    model: str
    models: Path
    run: str
    compare: Compare = "not-worse"
    max_drop_fraction: float | None = 0.01
    reason: str = ""
    restore: bool = False

    def __post_init__(self) -> None:
        """Refuses what is no fraction. Raises: InputError."""
        if self.max_drop_fraction is not None and not 0 <= self.max_drop_fraction <= 1:
            raise InputError(f"--promote.max-drop-fraction {self.max_drop_fraction}: give a fraction from 0 to 1")


def settled(bundle: Bundle, params: Params) -> str | None:
    """What there is to say when this very bundle serves already, so that nothing is to be done; else None."""
    now = Registry(params.models).serving(params.model, bundle.sha256)
    return None if now is None else _serves(now, "already serves")


def run(
    bundle: Bundle,
    evaluation: Evaluation,
    verification: Verification,
    examples: Examples,
    params: Params,
    out: Path,
) -> Promotion:
    """Holds the candidate against what serves and served, while nobody else can promote, and publishes it.

    Raises:
        InputError: the model's name is no plain name, or it serves another data set.
        BundleError: the bundle is not what was exported, or the pointer is gone.
    """
    opened = bundle.opened()
    proof = evidence_rules(opened, evaluation, verification, examples)
    if not verdict(proof)[0]:
        return _promotion(bundle, params, out, [rule for rule in proof if not rule.passed])
    rows = HeldOut.of(examples)
    with held(Registry(params.models), params.model) as pointer:
        require_same_dataset(pointer.folder, opened)
        champion = pointer.serving() if params.restore else pointer.champion()
        if champion is not None and champion.sha256 == bundle.sha256:
            rules, found = [Rule("champion", True, "it is the champion itself")], None
        else:
            rules, found = _rules(bundle, evaluation, rows, pointer, champion, params)
        if not verdict(rules)[0]:
            return _promotion(bundle, params, out, rules, champion, found)
        evidence = Evidence(
            run=params.run,
            evaluation_sha256=evaluation.digest(),
            verification_sha256=verification.digest(),
            accuracy=evaluation.accuracy,
            test_sha256=evaluation.test_sha256,
            weights_sha256=evaluation.weights_sha256,
        )
        reason = params.reason or "; ".join(rule.words for rule in rules)
        promoted = pointer.promote(opened, evidence, reason, params.restore)
    return _promotion(bundle, params, out, rules, champion, found, promoted)


def evidence_rules(
    opened: serving.bundle.Bundle, evaluation: Evaluation, verification: Verification, examples: Examples
) -> list[Rule]:
    """Whether evaluation and verification passed, and are of exactly this bundle and these test images."""
    candidate, test = opened.sha256[:12], examples.sha256("test")
    evaluated, weights = (str(opened.manifest.gate.get(f"{what}_sha256")) for what in ("evaluation", "weights"))
    return [
        Rule("evaluation passed", evaluation.passed, "; ".join(evaluation.reasons)),
        Rule("verification passed", verification.passed, "; ".join(verification.reasons)),
        Rule(
            "evaluation",
            evaluation.digest() == evaluated,
            f"bundle {candidate} was exported under evaluation {evaluated[:12]}, given is {evaluation.digest()[:12]}",
        ),
        Rule(
            "weights",
            evaluation.weights_sha256 == weights,
            f"the evaluation is of weights {evaluation.weights_sha256[:12]}, the bundle holds {weights[:12]}",
        ),
        Rule(
            "verification",
            verification.bundle_sha256 == opened.sha256,
            f"the verification is of bundle {verification.bundle_sha256[:12]}, the candidate is {candidate}",
        ),
        Rule(
            "test images",
            evaluation.test_sha256 == test,
            f"the evaluation is of test images {evaluation.test_sha256[:12]}, given are {test[:12]}",
        ),
    ]


def _rules(
    bundle: Bundle,
    evaluation: Evaluation,
    rows: HeldOut,
    pointer: Pointer,
    champion: Promoted | None,
    params: Params,
) -> tuple[list[Rule], Compared | None]:
    """Every rule, computed also where another refuses already."""
    history, gap = pointer.history(), pointer.gap()
    compared, found = compare(evaluation.predictions(), champion, rows, params.compare)
    dropped = drop(evaluation.accuracy, history, pointer.folder, rows, params.max_drop_fraction)
    barring = history.barring(bundle.sha256, evaluation.weights_sha256)
    return [compared, *dropped, *remembered(barring, params.run, gap, params.restore)], found


def _promotion(
    bundle: Bundle,
    params: Params,
    out: Path,
    rules: list[Rule],
    champion: Promoted | None = None,
    compared: Compared | None = None,
    promoted: Promoted | None = None,
) -> Promotion:
    passed, reasons = verdict(rules)
    return Promotion(
        path=out,
        model=params.model,
        version=None if promoted is None else promoted.version,
        bundle_sha256=bundle.sha256,
        champion=None if champion is None else champion.version,
        gained=None if compared is None else compared.found.gained,
        lost=None if compared is None else compared.found.lost,
        p=None if compared is None else compared.p,
        pairs=() if compared is None else compared.pairs,
        rules=tuple(rules),
        passed=passed,
        reasons=reasons if promoted is None else (_serves(promoted, "serves now"), *reasons),
    ).save()


def _serves(promoted: Promoted, how: str) -> str:
    return f"{promoted.model} version {promoted.version} {how}, sha256 {promoted.sha256[:12]}"
