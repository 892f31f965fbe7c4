"""Bundle + trained weights -> Agreement: every backend scores the test set, and every constant is compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Predictions
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.verification import Agreement, Measured
from components.rounding.layers import layers_of
from components.rounding.scatter import measure_rounding
from components.verify.backends import Backend, keras_backend, onnx_backend, saved_model_backend
from components.verify.file_rules import checker_rule, class_names_rule, constant_rules, load_onnx_models
from components.verify.int8_rules import check_int8
from components.verify.isolated_process import score_in_isolated_process
from components.verify.parity import (
    Answer,
    Expected,
    Probabilities,
    compare_classes,
    compare_probabilities,
    largest_difference,
)
from serving.blocks import Images
from serving.bundle.bundle import ONNX_INT8
from serving.errors import BundleError, ModelError
from serving.scoring.network import MAX_BATCH_SIZE, MAX_BATCH_SIZES

# A model must give the same probabilities for every batch size: 1, 7 and large batches are compared.
SMALL_BATCHES = (1, 7)
# Keras and SavedModel are too slow in batches of one image to score all of them.
SMALL_BATCH_ROWS = 100


def compare_bundle(
    model: Model,
    transform: Transform,
    bundle: Bundle,
    examples: Examples,
    predictions: Predictions,
    fresh_rows: int,
    out: Path,
) -> Agreement:
    """As `agree.run`."""
    images = examples.all_images("test")
    agreement = Agreement(path=out, bundle_sha256=bundle.sha256, rows=len(images), rules=())
    try:
        opened = bundle.opened()
        onnx = onnx_backend(opened)
        scored = onnx(images, MAX_BATCH_SIZE)
    except (BundleError, ModelError) as error:
        return replace(agreement, rules=(RuleResult("bundle", False, str(error)),)).save()
    agreement = agreement.with_classes("float32", scored.argmax(axis=1))
    models, layers = load_onnx_models(opened), layers_of(model)
    rounding = measure_rounding(layers, transform, images)
    expected = Expected.of(rounding, predictions.probabilities())
    backends = {"Keras": keras_backend(model, transform), "SavedModel": saved_model_backend(bundle), "ONNX": onnx}
    known = {"Keras": predictions.probabilities(), "ONNX": scored}
    agreement = _compare_backends(agreement, backends, known, images, expected)
    isolated, measured = _isolated_rule(bundle, images[:fresh_rows], expected, out)
    if measured is not None:
        agreement.write_measured(measured)
    constants = constant_rules(opened, models, layers, transform)
    names, checker = class_names_rule(opened, models, examples), checker_rule(models)
    agreement = replace(agreement, rules=(*agreement.rules, isolated, *constants, names, checker))
    if "file" not in opened.manifest.precisions["int8"]:
        return agreement.save()
    try:
        answer = Answer("int8", onnx_backend(opened, "int8")(images, MAX_BATCH_SIZES["int8"]), np.arange(len(images)))
    except ModelError as error:
        return replace(agreement, int8_rules=(RuleResult("int8", False, str(error)),)).save()
    int8_rules = check_int8(models[ONNX_INT8], answer, layers, transform, examples, rounding)
    agreement = agreement.with_classes("int8", answer.probabilities.argmax(axis=1))
    return replace(agreement, int8_rules=tuple(int8_rules)).save()


def _compare_backends(
    agreement: Agreement,
    backends: dict[str, Backend],
    known: dict[str, Probabilities],
    images: Images,
    expected: Expected,
) -> Agreement:
    """The agreement, with what a comparison of all backends found; `known` has what some say of all images."""
    rows = np.arange(len(images))
    answers = [
        Answer(name, known[name] if name in known else backend(images, MAX_BATCH_SIZE), rows)
        for name, backend in backends.items()
    ]
    classes, disagreements = compare_classes(answers, expected)
    probabilities, used = compare_probabilities("probabilities", "probabilities", answers, expected)
    batches, used_in_batches = compare_probabilities(
        "batches", f"batches of {' and '.join(map(str, SMALL_BATCHES))}", _small_batches(backends, images), expected
    )
    difference = largest_difference([answer.probabilities for answer in answers])
    return replace(
        agreement,
        disagreements=disagreements,
        max_difference=difference if np.isfinite(difference) else None,
        used_fraction=max(used, used_in_batches) if np.isfinite([used, used_in_batches]).all() else None,
        rules=(classes, probabilities, batches),
    )


def _small_batches(backends: dict[str, Backend], images: Images) -> list[Answer]:
    """The answers of each backend in small batches."""
    answers = []
    for name, backend in backends.items():
        few = len(images) if name == "ONNX" else min(SMALL_BATCH_ROWS, len(images))
        # Evenly spread, because images of one class may follow each other.
        rows = np.arange(few) * len(images) // few
        answers += [Answer(f"{name} in batches of {size}", backend(images[rows], size), rows) for size in SMALL_BATCHES]
    return answers


def _isolated_rule(bundle: Bundle, images: Images, expected: Expected, out: Path) -> tuple[RuleResult, Measured | None]:
    """The rule of scoring in a process without TensorFlow, and the costs; None if it refuses the bundle."""
    try:
        probabilities, measured = score_in_isolated_process(bundle.path, images, out)
    except BundleError as error:
        return RuleResult("fresh process", False, str(error)), None
    name = "a process without TensorFlow"
    answers = [Answer(name, probabilities, np.arange(len(images)))]
    rule, _ = compare_probabilities("fresh process", name, answers, expected)
    return rule, measured
