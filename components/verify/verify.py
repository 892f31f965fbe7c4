"""Model + Transform + Bundle + Examples + Evaluation -> Verification: does the bundle score as the model does?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.verification import Measured, Verification
from components.gate import judge_predictions, verdict
from components.rounding.layers import Layer, layers_of
from components.rounding.scatter import Rounding, measure_rounding
from components.verify.backends import Backend, keras_backend, onnx_backend, saved_model_backend
from components.verify.cost_rules import CostLimits, limit_rules
from components.verify.file_rules import (
    OnnxModels,
    checker_rule,
    class_names_rule,
    constant_rules,
    load_onnx_models,
    sample_rule,
)
from components.verify.int8_rules import check_int8
from components.verify.isolated_process import score_in_isolated_process
from components.verify.parity import (
    Answer,
    Expected,
    compare_classes,
    compare_probabilities,
    largest_difference,
)
from serving.arguments.ranges import Range, require_ranges
from serving.blocks import Images
from serving.bundle.bundle import Bundle as CheckedBundle
from serving.errors import BundleError, ModelError
from serving.scoring.network import MAX_BATCH_SIZE

# A model must give the same probabilities for every batch size: 1, 7 and large batches are compared.
SMALL_BATCHES = (1, 7)
# The reasons name the first rules only: classes, probabilities, batches, the process without TensorFlow.
SHOWN_RULES = 4
# Keras and SavedModel are too slow in batches of one image to score all of them.
SMALL_BATCH_ROWS = 100


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
    model: Model,
    transform: Transform,
    bundle: Bundle,
    examples: Examples,
    evaluation: Evaluation,
    params: Params,
    out: Path,
) -> Verification:
    """Compares the bundle with the trained weights: every constant, and the probabilities of the test set.

    All backends score the test set, and the ONNX model again in a process without TensorFlow.

    Raises: BeamlineError: the machine failed, which says nothing about the bundle.
    """
    images = examples.all_images("test")
    labels = examples.all_labels("test")
    try:
        opened = bundle.opened()
        onnx = onnx_backend(opened)
        scored = onnx(images, MAX_BATCH_SIZE)
    except (BundleError, ModelError) as error:
        return _verification(bundle, labels, [RuleResult("bundle", False, str(error))], out)
    models = load_onnx_models(opened)
    layers = layers_of(model)
    saved_model = saved_model_backend(bundle)
    rows = np.arange(len(images))
    answers = [
        Answer("Keras", evaluation.probabilities(), rows),
        Answer("SavedModel", saved_model(images, MAX_BATCH_SIZE), rows),
        Answer("ONNX", scored, rows),
    ]
    rounding = measure_rounding(layers, transform, images)
    expected = Expected.of(rounding, answers[0].probabilities)
    classes, disagreements = compare_classes(answers, expected)
    probabilities, used = compare_probabilities("probabilities", "probabilities", answers, expected)
    backends = {"Keras": keras_backend(model, transform), "SavedModel": saved_model, "ONNX": onnx}
    batches, used_in_batches = compare_probabilities(
        "batches", f"batches of {' and '.join(map(str, SMALL_BATCHES))}", _small_batches(backends, images), expected
    )
    isolated, measured = _isolated_rules(bundle, images[: params.fresh_rows], expected, params, out)
    rules = [
        classes,
        probabilities,
        batches,
        *isolated,
        *constant_rules(opened, models, layers, transform),
        class_names_rule(opened, models, examples),
        checker_rule(models),
        *_gate_rules("ONNX", scored, examples, evaluation),
        *_int8_rules(opened, models, layers, transform, examples, evaluation, rounding),
        sample_rule(opened),
    ]
    difference = largest_difference([answer.probabilities for answer in answers])
    verification = _verification(
        bundle,
        labels,
        rules,
        out,
        correct=int((scored.argmax(axis=1) == labels).sum()),
        disagreements=disagreements,
        max_difference=difference if np.isfinite(difference) else None,
        used_fraction=max(used, used_in_batches) if np.isfinite([used, used_in_batches]).all() else None,
    )
    return verification if measured is None else verification.write_measured(measured)


def _small_batches(backends: dict[str, Backend], images: Images) -> list[Answer]:
    """The answers of each backend in small batches."""
    answers = []
    for name, backend in backends.items():
        few = len(images) if name == "ONNX" else min(SMALL_BATCH_ROWS, len(images))
        # Evenly spread, because images of one class may follow each other.
        rows = np.arange(few) * len(images) // few
        answers += [Answer(f"{name} in batches of {size}", backend(images[rows], size), rows) for size in SMALL_BATCHES]
    return answers


def _gate_rules(
    name: str, probabilities: npt.NDArray[np.float32], examples: Examples, evaluation: Evaluation
) -> list[RuleResult]:
    """The gate that the trained model passed, applied to the exported one."""
    rules = judge_predictions(probabilities.argmax(axis=1), examples, evaluation)
    return [RuleResult(f"{name} {rule.name}", rule.passed, f"{name}: {rule.message}") for rule in rules]


def _int8_rules(
    opened: CheckedBundle,
    models: OnnxModels,
    layers: list[Layer],
    transform: Transform,
    examples: Examples,
    evaluation: Evaluation,
    rounding: Rounding,
) -> list[RuleResult]:
    """If the bundle has an int8 model: its constants, its probabilities, and the gate."""
    figures = opened.manifest.precisions["int8"]
    if "file" not in figures:
        return []
    images = examples.all_images("test")
    try:
        answer = Answer("int8", onnx_backend(opened, "int8")(images, MAX_BATCH_SIZE), np.arange(len(images)))
    except ModelError as error:
        return [RuleResult("int8", False, str(error))]
    return [
        *check_int8(models[figures["file"]], answer, layers, transform, examples, rounding),
        *_gate_rules("int8", answer.probabilities, examples, evaluation),
    ]


def _isolated_rules(
    bundle: Bundle, images: Images, expected: Expected, params: Params, out: Path
) -> tuple[list[RuleResult], Measured | None]:
    """The rules of scoring in a process without TensorFlow, and the costs; None if it refuses the bundle."""
    try:
        probabilities, measured = score_in_isolated_process(bundle.path, images, out)
    except BundleError as error:
        return [RuleResult("fresh process", False, str(error))], None
    name = "a process without TensorFlow"
    answers = [Answer(name, probabilities, np.arange(len(images)))]
    rule, _ = compare_probabilities("fresh process", name, answers, expected)
    return [rule, *limit_rules(measured, params)], measured


def _verification(
    bundle: Bundle,
    labels: npt.NDArray[np.int64],
    rules: list[RuleResult],
    out: Path,
    *,
    correct: int = 0,
    disagreements: tuple[str, ...] = (),
    max_difference: float | None = None,
    used_fraction: float | None = None,
) -> Verification:
    passed, reasons = verdict(rules)
    return Verification(
        path=out,
        bundle_sha256=bundle.sha256,
        rows=len(labels),
        correct=correct,
        disagreements=disagreements,
        max_difference=max_difference,
        used_fraction=used_fraction,
        rules=tuple(rules),
        passed=passed,
        # If all rules hold, the reasons name the first ones; `rules` has the others.
        reasons=reasons[:SHOWN_RULES] if passed else reasons,
    ).save()
