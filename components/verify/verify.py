"""Model + Transform + Bundle + Examples + Evaluation -> Verification: does the bundle score as the model does?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.verification import Measured, Verification
from components.batches.normalized import keras_probabilities
from components.gate import judge_predictions, verdict
from components.verify.backends import Backend, keras_backend, onnx_backend, saved_model_backend
from components.verify.isolated_process import score_in_isolated_process
from components.verify.parity import ParityCheck, Probabilities, check_parity, largest_difference
from serving.bundle.bundle import ONNX
from serving.bundle.bundle import Bundle as CheckedBundle
from serving.errors import BeamlineError, BundleError, InputError
from serving.scoring.network import MAX_BATCH_SIZE
from serving.scoring.smoke_test import MAX_TOLERANCE, run_smoke_test

# A model must give the same probabilities for every batch size: 1, 7 and large batches are compared.
SMALL_BATCHES = (1, 7)
# TensorFlow's order of summation depends on the batch for images with more than 1,000 pixels: differences of 2e-6 were
# measured. ONNX has a lower limit, because it is the served model.
BATCH_TOLERANCES = {"Keras": 1e-5, "SavedModel": 1e-5, "ONNX": 1e-6}
# The reasons name the first rules only: classes, probabilities, batches, the process without TensorFlow.
SHOWN_RULES = 4
# Keras and SavedModel are too slow in batches of one image to score all of them.
SMALL_BATCH_ROWS = 100


@dataclass(frozen=True)
class Params:
    """Tolerances of the parity check, and limits on the costs of scoring.

    Attributes:
        margin: the bundle is refused if backends predict different classes for an image, and one of them has at least
            this difference between its top two probabilities.
        tolerance: largest difference of any probability between Keras, SavedModel and ONNX.
        fresh_rows: number of test images that the process without TensorFlow scores.
        max_load_seconds: longest time to load the bundle there; None sets no limit.
        min_images_per_second: lowest scoring rate there; None sets no limit.
        max_memory_mb: largest memory there, in millions of bytes; None sets no limit.
    """

    margin: float = 1e-5
    tolerance: float = 1e-5
    fresh_rows: int = 10_000
    max_load_seconds: float | None = None
    min_images_per_second: float | None = None
    max_memory_mb: float | None = None

    def __post_init__(self) -> None:
        """Checks the limits. Raises: InputError: a limit is out of range, so that it would verify nothing."""
        for name, value in (("margin", self.margin), ("tolerance", self.tolerance)):
            if not 0 <= value <= MAX_TOLERANCE:
                raise InputError(f"--verify.{name} {value}: give a number from 0 to {MAX_TOLERANCE:g}")
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
    """Scores the test set with all backends, and again in a process without TensorFlow."""
    images = examples.all_images("test")
    labels = examples.all_labels("test")
    try:
        opened = bundle.opened()
        onnx = onnx_backend(opened)
        scored = onnx(images, MAX_BATCH_SIZE)
    except BeamlineError as error:
        return _verification(bundle, labels, [RuleResult("bundle", False, str(error))], out)
    saved_model = saved_model_backend(bundle)
    by_backend = {
        "Keras": keras_probabilities(model, examples, transform),
        "SavedModel": saved_model(images, MAX_BATCH_SIZE),
        "ONNX": scored,
    }
    backends = {"Keras": keras_backend(model, transform), "SavedModel": saved_model, "ONNX": onnx}
    parity = check_parity(by_backend, params.margin, params.tolerance)
    isolated, measured = _isolated_rules(bundle, images[: params.fresh_rows], scored, params, out)
    rules = [
        *parity.rules,
        _batch_rule(backends, images, by_backend),
        *isolated,
        _checker_rule(opened),
        *_gate_rules("ONNX", scored, examples, evaluation),
        *_int8_rules(opened, images, examples, evaluation),
        _sample_rule(opened),
    ]
    verification = _verification(bundle, labels, rules, out, parity, by_backend)
    return verification if measured is None else verification.write_measured(measured)


def _batch_rule(
    backends: dict[str, Backend], images: npt.NDArray[np.uint8], large_batches: dict[str, Probabilities]
) -> RuleResult:
    """Whether each backend gives the same probabilities in small batches as in large ones."""
    differences = {}
    for name, backend in backends.items():
        few = images if name == "ONNX" else images[:SMALL_BATCH_ROWS]
        probabilities = {str(size): backend(few, size) for size in SMALL_BATCHES}
        differences[name] = largest_difference(probabilities | {"large": large_batches[name][: len(few)]})
    sizes = " and ".join(map(str, SMALL_BATCHES))
    exceeded = ", ".join(
        f"{name} differs by {difference:.1e} (allowed {BATCH_TOLERANCES[name]:.0e})"
        for name, difference in differences.items()
        if not difference <= BATCH_TOLERANCES[name]
    )
    if exceeded:
        return RuleResult("batches", False, f"batches of {sizes} give other probabilities than large ones: {exceeded}")
    largest = max(differences.values())
    return RuleResult("batches", True, f"batches of {sizes} give the same probabilities, |Δp| ≤ {largest:.1e}")


def _checker_rule(opened: CheckedBundle) -> RuleResult:
    import onnx

    try:
        onnx.checker.check_model(onnx.load_from_string(opened.read(ONNX)), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return RuleResult("checker", False, f"onnx.checker refuses the model: {error}")
    return RuleResult("checker", True, "onnx.checker accepts the model")


def _gate_rules(
    name: str, probabilities: Probabilities, examples: Examples, evaluation: Evaluation
) -> list[RuleResult]:
    """The gate that the trained model passed, applied to the exported one."""
    rules = judge_predictions(probabilities.argmax(axis=1), examples, evaluation)
    return [RuleResult(f"{name} {rule.name}", rule.passed, f"{name}: {rule.message}") for rule in rules]


def _int8_rules(
    opened: CheckedBundle, images: npt.NDArray[np.uint8], examples: Examples, evaluation: Evaluation
) -> list[RuleResult]:
    """The gate for the int8 model if the bundle has one, and whether it scores as it did during export."""
    figures = opened.manifest.precisions["int8"]
    if "file" not in figures:
        return []
    try:
        probabilities = onnx_backend(opened, "int8")(images, MAX_BATCH_SIZE)
    except BeamlineError as error:
        return [RuleResult("int8", False, str(error))]
    correct = int((probabilities.argmax(axis=1) == examples.all_labels("test")).sum())
    message = f"int8: {correct:,} of {len(images):,} test images correct, {figures['correct']:,} at export"
    gate = _gate_rules("int8", probabilities, examples, evaluation)
    return [RuleResult("int8", correct == figures["correct"], message), *gate]


def _sample_rule(opened: CheckedBundle) -> RuleResult:
    try:
        run_smoke_test(opened)
    except BundleError as error:
        return RuleResult("sample", False, str(error))
    return RuleResult("sample", True, "its probabilities for the sample are those of the trained model")


def _isolated_rules(
    bundle: Bundle, images: npt.NDArray[np.uint8], expected: Probabilities, params: Params, out: Path
) -> tuple[list[RuleResult], Measured | None]:
    """The rules of scoring in a process without TensorFlow, and the costs; None if scoring fails."""
    try:
        probabilities, measured = score_in_isolated_process(bundle.path, images, out)
    except BeamlineError as error:
        return [RuleResult("fresh process", False, str(error))], None
    difference = largest_difference({"isolated": probabilities, "here": expected[: len(images)]})
    equal = difference <= params.tolerance
    message = f"a process without TensorFlow gives the same probabilities for {len(images):,} test images"
    if not equal:
        limit = f"{params.tolerance:.0e}"
        message = f"a process without TensorFlow gives other probabilities, by up to {difference:.1e} (allowed {limit})"
    return [RuleResult("fresh process", equal, message), *limit_rules(measured, params)], measured


def limit_rules(measured: Measured, params: Params) -> list[RuleResult]:
    """The limits that were set. A limit that holds is reported without the figure, which differs each time."""
    limits = (
        ("load time", "s", measured.load_seconds, "max-load-seconds", params.max_load_seconds, 1),
        ("rate", "images/s", measured.images_per_second, "min-images-per-second", params.min_images_per_second, -1),
        ("memory", "MB", measured.peak_memory_bytes / 1e6, "max-memory-mb", params.max_memory_mb, 1),
    )
    rules = []
    for name, unit, found, flag, limit, sign in limits:
        if limit is None:
            continue
        bound = f"{'at most' if sign > 0 else 'at least'} {limit:g}"
        passed = found * sign <= limit * sign
        refusal = (
            f"{name} {found:,.4g} {unit} is {'above' if sign > 0 else 'below'} the limit of {limit:g} {unit}: "
            f"change --verify.{flag}, or measure again with --force"
        )
        rules.append(RuleResult(name, passed, f"{name} {bound} {unit}" if passed else refusal))
    return rules


def _verification(
    bundle: Bundle,
    labels: npt.NDArray[np.int64],
    rules: list[RuleResult],
    out: Path,
    parity: ParityCheck | None = None,
    by_backend: dict[str, Probabilities] | None = None,
) -> Verification:
    passed, reasons = verdict(rules)
    largest = float("inf") if by_backend is None else largest_difference(by_backend)
    return Verification(
        path=out,
        bundle_sha256=bundle.sha256,
        rows=len(labels),
        correct=0 if by_backend is None else int((by_backend["ONNX"].argmax(axis=1) == labels).sum()),
        disagreements=() if parity is None else parity.disagreements,
        max_difference=largest if np.isfinite(largest) else None,
        rules=tuple(rules),
        passed=passed,
        # If all rules hold, the reasons name the first ones; `rules` has the others.
        reasons=reasons[:SHOWN_RULES] if passed else reasons,
    ).save()
