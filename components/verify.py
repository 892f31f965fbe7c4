"""Model + Transform + Bundle + Examples + Evaluation -> Verification: does the bundle answer as the model does?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import serving.bundle
from components.agreement import Agreement, Probabilities, compare, largest_difference
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.rule import Rule, verdict
from components.artifacts.transform import Transform
from components.artifacts.verification import Measured, Verification
from components.evaluate import judge_again, keras_probabilities
from components.fresh_process import score_in_fresh_process
from components.implementations import (
    Implementation,
    keras_implementation,
    onnx_implementation,
    saved_model_implementation,
)
from serving.errors import BeamlineError, BundleError, InputError
from serving.network import MAX_BATCH_SIZE
from serving.trial import LOOSEST, require_answers

# The same model has to answer the same whatever it is given at once; the numbers are the smallest, an odd one, and
# the scorer's own.
SMALL_BATCHES = (1, 7)
# TensorFlow adds up a thousand pixels and more in another order for another batch, which came to 2e-6 where images were
# large; what serves is ONNX.
BATCH_TOLERANCES = {"Keras": 1e-5, "SavedModel": 1e-5, "ONNX": 1e-6}
# The rules that a person asks for first: classes, probabilities, batches, the process without TensorFlow.
TOLD = 4
# Batches of one image cost Keras and SavedModel too much for all of them.
SMALL_BATCH_ROWS = 100


@dataclass(frozen=True)
class Params:
    """How close is equal, and what scoring may take.

    Attributes:
        margin: a disagreement about the class refuses where the two best probabilities are at least this far apart.
        tolerance: largest difference of any probability between Keras, SavedModel and ONNX.
        fresh_rows: test images that the process without TensorFlow scores.
        max_load_seconds: the longest that loading the bundle may take there; None sets no limit.
        min_images_per_second: the lowest rate at which it may score; None sets no limit.
        max_memory_mb: the most memory that it may take, in millions of bytes; None sets no limit.
    """

    margin: float = 1e-5
    tolerance: float = 1e-5
    fresh_rows: int = 10_000
    max_load_seconds: float | None = None
    min_images_per_second: float | None = None
    max_memory_mb: float | None = None

    def __post_init__(self) -> None:
        """Refuses what would verify nothing. Raises: InputError."""
        for name, value in (("margin", self.margin), ("tolerance", self.tolerance)):
            if not 0 <= value <= LOOSEST:
                raise InputError(f"--verify.{name} {value}: give a number from 0 to {LOOSEST:g}")
        if self.fresh_rows < 1:
            raise InputError(f"--verify.fresh-rows {self.fresh_rows}: give 1 or more")
        for name in ("max_load_seconds", "min_images_per_second", "max_memory_mb"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise InputError(f"--verify.{name.replace('_', '-')} {limit}: give a number above 0")


def run(
    model: Model,
    transform: Transform,
    bundle: Bundle,
    examples: Examples,
    evaluation: Evaluation,
    params: Params,
    out: Path,
) -> Verification:
    """Scores the whole test split with all three, and in a process that has no TensorFlow."""
    images = examples.all_images("test")
    labels = examples.all_labels("test")
    try:
        opened = bundle.opened()
        onnx = onnx_implementation(opened)
        scored = onnx(images, MAX_BATCH_SIZE)
    except BeamlineError as error:
        return _verification(bundle, labels, [Rule("bundle", False, str(error))], out)
    saved_model = saved_model_implementation(bundle)
    answers = {
        "Keras": keras_probabilities(model, examples, transform),
        "SavedModel": saved_model(images, MAX_BATCH_SIZE),
        "ONNX": scored,
    }
    small = {"Keras": keras_implementation(model, transform), "SavedModel": saved_model, "ONNX": onnx}
    agreement = compare(answers, params.margin, params.tolerance)
    fresh, measured = _fresh(bundle, images[: params.fresh_rows], scored, params, out)
    rules = [
        *agreement.rules,
        _batch_rule(small, images, answers),
        *fresh,
        _checker_rule(opened),
        *_gate_rules("ONNX", scored, examples, evaluation),
        *_int8_rules(opened, images, examples, evaluation),
        _sample_rule(opened),
    ]
    verification = _verification(bundle, labels, rules, out, agreement, answers)
    return verification if measured is None else verification.write_measured(measured)


def _batch_rule(
    implementations: dict[str, Implementation], images: npt.NDArray[np.uint8], answers: dict[str, Probabilities]
) -> Rule:
    """Whether each implementation answers small batches as it answered large ones."""
    differences = {}
    for name, implementation in implementations.items():
        few = images if name == "ONNX" else images[:SMALL_BATCH_ROWS]
        said = {str(size): implementation(few, size) for size in SMALL_BATCHES}
        differences[name] = largest_difference(said | {"large": answers[name][: len(few)]})
    sizes = " and ".join(map(str, SMALL_BATCHES))
    if not all(difference <= BATCH_TOLERANCES[name] for name, difference in differences.items()):
        found = ", ".join(f"{name} {difference:.1e}" for name, difference in differences.items())
        return Rule("batches", False, f"batches of {sizes} are answered otherwise than large ones, by up to {found}")
    return Rule("batches", True, f"in batches of {sizes} too, |Δp| ≤ {max(differences.values()):.1e}")


def _checker_rule(opened: serving.bundle.Bundle) -> Rule:
    import onnx

    try:
        onnx.checker.check_model(onnx.load_from_string(opened.read(serving.bundle.ONNX)), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return Rule("checker", False, f"onnx.checker refuses the model: {error}")
    return Rule("checker", True, "onnx.checker finds no fault")


def _gate_rules(name: str, probabilities: Probabilities, examples: Examples, evaluation: Evaluation) -> list[Rule]:
    """The gate that the trained model passed, for what is going to serve."""
    rules = judge_again(probabilities.argmax(axis=1), examples, evaluation)
    return [Rule(f"{name} {rule.name}", rule.passed, f"{name}: {rule.words}") for rule in rules]


def _int8_rules(
    opened: serving.bundle.Bundle, images: npt.NDArray[np.uint8], examples: Examples, evaluation: Evaluation
) -> list[Rule]:
    """The gate once more for the int8 model, where there is one, and whether it is the one that export judged."""
    said = opened.manifest.precisions["int8"]
    if "file" not in said:
        return []
    try:
        probabilities = onnx_implementation(opened, "int8")(images, MAX_BATCH_SIZE)
    except BeamlineError as error:
        return [Rule("int8", False, str(error))]
    correct = int((probabilities.argmax(axis=1) == examples.all_labels("test")).sum())
    words = f"int8: {correct:,} test images right, {said['correct']:,} when it was exported"
    return [Rule("int8", correct == said["correct"], words), *_gate_rules("int8", probabilities, examples, evaluation)]


def _sample_rule(opened: serving.bundle.Bundle) -> Rule:
    try:
        require_answers(opened)
    except BundleError as error:
        return Rule("sample", False, str(error))
    return Rule("sample", True, "its stored sample is answered as the trained model did")


def _fresh(
    bundle: Bundle, images: npt.NDArray[np.uint8], expected: Probabilities, params: Params, out: Path
) -> tuple[list[Rule], Measured | None]:
    """What the batch scorer says and takes in a process without TensorFlow."""
    try:
        fresh = score_in_fresh_process(bundle.path, images, out)
    except BeamlineError as error:
        return [Rule("fresh process", False, str(error))], None
    difference = largest_difference({"fresh": fresh.probabilities, "here": expected[: len(images)]})
    alike = Rule("fresh process", True, f"a process without TensorFlow scored {len(images):,} alike")
    if not difference <= params.tolerance:
        alike = Rule(
            "fresh process", False, f"a process without TensorFlow scores differently, by up to {difference:.1e}"
        )
    return [alike, *limit_rules(fresh.measured, params)], fresh.measured


def limit_rules(measured: Measured, params: Params) -> list[Rule]:
    """The limits that were set. What holds is told without its figure, which differs each time."""
    asked = (
        ("load time", "s", measured.load_seconds, params.max_load_seconds, 1),
        ("rate", "images/s", measured.images_per_second, params.min_images_per_second, -1),
        ("memory", "MB", measured.peak_memory_bytes / 1e6, params.max_memory_mb, 1),
    )
    rules = []
    for name, unit, found, limit, sign in asked:
        if limit is None:
            continue
        bound = f"{'at most' if sign > 0 else 'at least'} {limit:g}"
        if found * sign <= limit * sign:
            rules.append(Rule(name, True, f"{name} {bound} {unit}"))
        else:
            words = f"{name} {found:,.4g} {unit}, {bound} is allowed; --force measures again"
            rules.append(Rule(name, False, words))
    return rules


def _verification(
    bundle: Bundle,
    labels: npt.NDArray[np.int64],
    rules: list[Rule],
    out: Path,
    agreement: Agreement | None = None,
    answers: dict[str, Probabilities] | None = None,
) -> Verification:
    passed, reasons = verdict(rules)
    largest = float("inf") if answers is None else largest_difference(answers)
    return Verification(
        path=out,
        bundle_sha256=bundle.sha256,
        rows=len(labels),
        correct=0 if answers is None else int((answers["ONNX"].argmax(axis=1) == labels).sum()),
        disagreements=() if agreement is None else agreement.disagreements,
        max_difference=largest if np.isfinite(largest) else None,
        rules=tuple(rules),
        passed=passed,
        # Of what holds, what a person asks first; the rest is in the rules.
        reasons=reasons[:TOLD] if passed else reasons,
    ).save()
