"""Bundle + Agreement -> Rules: the agreement holds for this bundle, the gate and the limits accept it."""

from __future__ import annotations

from dataclasses import replace

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.verification import Agreement
from components.gate import judge_predictions
from components.verify.cost_rules import CostLimits, limit_rules
from serving.bundle.bundle import ONNX_INT8
from serving.bundle.bundle import Bundle as CheckedBundle
from serving.errors import BundleError
from serving.scoring.smoke_test import run_smoke_test

# The names of the precisions in messages.
NAMES = {"float32": "ONNX", "int8": "int8"}


def check_bundle(
    bundle: Bundle,
    converted: Bundle,
    agreement: Agreement,
    examples: Examples,
    evaluation: Evaluation,
    limits: CostLimits,
) -> list[RuleResult]:
    """All rules, each computed even if another one refuses, unless the bundle cannot be opened or scored.

    Args:
        bundle: the exported one.
        converted: the one whose files were compared with the model.
        agreement: what this comparison found.
        examples: hold the test set.
        evaluation: has the limits of the gate.
        limits: on the costs of scoring.
    """
    if not agreement.precisions:
        return list(agreement.rules)
    try:
        opened, compared = bundle.opened(), converted.opened()
    except BundleError as error:
        return [RuleResult("bundle", False, str(error))]
    measured = agreement.measured()
    rules = [*agreement.rules, *([] if measured is None else limit_rules(measured, limits))]
    rules.append(same_files_rule(opened, compared, agreement))
    rules += _gate_rules("float32", agreement, examples, evaluation)
    if "file" in opened.manifest.precisions["int8"]:
        rules += [*agreement.int8_rules, *_gate_rules("int8", agreement, examples, evaluation)]
    return [*rules, sample_rule(opened)]


def same_files_rule(opened: CheckedBundle, compared: CheckedBundle, agreement: Agreement) -> RuleResult:
    """Whether the bundle has the files that were compared with the model; the gate may have left out the int8 one."""
    int8 = {} if ONNX_INT8 in opened.files else {ONNX_INT8: compared.files.get(ONNX_INT8)}
    precisions = {**opened.manifest.precisions, "int8": compared.manifest.precisions["int8"]}
    manifest = replace(opened.manifest, gate=compared.manifest.gate, precisions=precisions)
    equal = {**opened.files, **int8} == {**compared.files, **int8} and manifest == compared.manifest
    if equal and agreement.bundle_sha256 == compared.sha256:
        return RuleResult("files", True, "its files are those that were compared with the model")
    return RuleResult("files", False, "its files are not those that were compared with the model: export again")


def _gate_rules(precision: str, agreement: Agreement, examples: Examples, evaluation: Evaluation) -> list[RuleResult]:
    """The gate that the trained model passed, applied to an exported one."""
    if precision not in agreement.precisions:
        return []
    rules = judge_predictions(agreement.classes(precision), examples, evaluation)
    name = NAMES[precision]
    return [RuleResult(f"{name} {rule.name}", rule.passed, f"{name}: {rule.message}") for rule in rules]


def sample_rule(opened: CheckedBundle) -> RuleResult:
    """Whether the bundle passes the smoke test of servers."""
    try:
        run_smoke_test(opened)
    except BundleError as error:
        return RuleResult("sample", False, str(error))
    return RuleResult("sample", True, "its probabilities for the sample are those of the trained model")
