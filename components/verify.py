"""Model + Transform + Bundle + Examples + Evaluation -> Verification: does the bundle answer as the model does?"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import serving.batch_score
import serving.bundle
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.transform import Transform
from components.artifacts.verification import Verification
from components.evaluate import judge, keras_probabilities
from serving.errors import BundleError, InputError
from serving.scorer import Scorer

# serving.batch_score is imported above for the step's key alone: it is a part of what is verified.
# A process that scores the bundle must not need these: importing one is made to fail.
FRESH_PROCESS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "apache_beam", "tensorflow_datasets"):
            raise ImportError(name + " is blocked here")

sys.meta_path.insert(0, Absent())
from serving.batch_score import main
sys.exit(main())
"""


# Probabilities that differ by more are of another model.
LOOSEST = 1e-3


@dataclass(frozen=True)
class Params:
    """How close is equal.

    Attributes:
        margin: a disagreement about the class refuses where the two best probabilities are at least this far apart.
        tolerance: largest difference of any probability between Keras, SavedModel and ONNX.
        fresh_rows: test images that the process without TensorFlow scores.
    """

    margin: float = 1e-5
    tolerance: float = 1e-5
    fresh_rows: int = 1000

    def __post_init__(self) -> None:
        """Refuses what would verify nothing. Raises: InputError."""
        for name, value in (("margin", self.margin), ("tolerance", self.tolerance)):
            if not 0 <= value <= LOOSEST:
                raise InputError(f"--verify.{name} {value}: give a number from 0 to {LOOSEST:g}")
        if self.fresh_rows < 1:
            raise InputError(f"--verify.fresh-rows {self.fresh_rows}: give 1 or more")


def run(
    model: Model,
    transform: Transform,
    bundle: Bundle,
    examples: Examples,
    evaluation: Evaluation,
    params: Params,
    out: Path,
) -> Verification:
    """Scores the whole test split with all three, and a part of it in a process that has no TensorFlow."""
    images = np.concatenate([examples.images(block) for block in examples.blocks["test"]])
    labels = examples.all_labels("test")
    try:
        opened = bundle.opened()
    except BundleError as error:
        return _refused(bundle, len(labels), str(error), out)
    answers = {
        "Keras": keras_probabilities(model, examples, transform),
        "SavedModel": _saved_model_probabilities(bundle, images),
        # One thread, so that the last bits do not depend on this machine's processors.
        "ONNX": Scorer(opened, threads=1).score(images).probabilities,
    }
    rows = min(params.fresh_rows, len(images))
    fresh = _fresh_process_trouble(bundle, images[:rows], answers["ONNX"][:rows], params.tolerance, out)
    disagreements, troubles = compare(answers, params.margin, params.tolerance)
    correct = int((answers["ONNX"].argmax(axis=1) == labels).sum())
    enough, arithmetic = judge(correct, len(labels), evaluation.min_accuracy)
    if not enough:
        troubles = (*troubles, f"ONNX: {arithmetic}")
    troubles = (*troubles, *fresh)
    largest = largest_difference(answers)
    agreed = (
        f"Keras, SavedModel and ONNX agree on {len(labels) - len(disagreements):,} of {len(labels):,} test images, "
        f"|Δp| ≤ {largest:.1e}; a process without TensorFlow scored {rows:,} alike"
    )
    return Verification(
        path=out,
        bundle_sha256=bundle.sha256,
        rows=len(labels),
        correct=correct,
        disagreements=disagreements,
        max_difference=largest if np.isfinite(largest) else None,
        passed=not troubles,
        reasons=troubles or (agreed,),
    ).save()


def compare(
    answers: dict[str, npt.NDArray[np.float32]], margin: float, tolerance: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Holds the answers of several implementations against each other.

    Args:
        answers: probabilities, float32 (n, classes), by the implementation's name.
        margin: where a disagreement refuses, as in Params.
        tolerance: of a probability, as in Params.

    Returns:
        Every row where they do not give one class, as sentences; and the sentences that refuse.
    """
    classes = np.stack([probabilities.argmax(axis=1) for probabilities in answers.values()])
    best = np.stack([np.sort(probabilities, axis=1)[:, -2:] for probabilities in answers.values()])
    margins = (best[:, :, 1] - best[:, :, 0]).max(axis=0)
    listed, troubles = [], []
    for row in np.flatnonzero((classes != classes[0]).any(axis=0)).tolist():
        said = ", ".join(f"{name} {label}" for name, label in zip(answers, classes[:, row].tolist(), strict=True))
        sentence = f"test image {row}: {said}; margin {margins[row]:.1e}"
        listed.append(sentence)
        if margins[row] >= margin:
            troubles.append(sentence)
    refusing = [f"{len(troubles)} disagreements with a margin ≥ {margin:.0e}, first: {troubles[0]}"] if troubles else []
    if not (difference := largest_difference(answers)) <= tolerance:
        refusing.append(f"probabilities differ by up to {difference:.1e} > {tolerance:.0e}")
    return tuple(listed), tuple(refusing)


def largest_difference(answers: dict[str, npt.NDArray[np.float32]]) -> float:
    """The largest difference of one probability between any two implementations; infinite where one is not finite."""
    stacked = np.stack(list(answers.values()))
    if not np.isfinite(stacked).all():
        return float("inf")
    return float((stacked.max(axis=0) - stacked.min(axis=0)).max(initial=0.0))


def _saved_model_probabilities(bundle: Bundle, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(bundle.path))
    serve = loaded.signatures["serving_default"]
    parts = [
        serve(images=tf.constant(images[start : start + 1000]))["probabilities"].numpy()
        for start in range(0, len(images), 1000)
    ]
    return np.concatenate(parts)


def _fresh_process_trouble(
    bundle: Bundle,
    images: npt.NDArray[np.uint8],
    expected: npt.NDArray[np.float32],
    tolerance: float,
    out: Path,
) -> tuple[str, ...]:
    """Scores images with the batch scorer in a process that cannot import TensorFlow or Beam."""
    given, scored = out / "fresh.npy", out / "fresh.scored.npy"
    np.save(given, images)
    command = [sys.executable, "-P", "-c", FRESH_PROCESS, str(given), "--model", str(bundle.path)]
    root = Path(serving.__path__[0]).parent
    done = subprocess.run(
        [*command, "--probabilities", "--out", str(scored)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        if done.returncode:
            return (f"a process without TensorFlow cannot score the bundle: {done.stderr.strip()[-500:]}",)
        difference = float(np.abs(np.load(scored) - expected).max(initial=0.0))
        if not difference <= tolerance:
            return (f"a process without TensorFlow scores differently, by up to {difference:.1e}",)
        return ()
    finally:
        for file in (given, scored, scored.with_name(scored.name + ".json")):
            file.unlink(missing_ok=True)


def _refused(bundle: Bundle, rows: int, reason: str, out: Path) -> Verification:
    return Verification(
        path=out,
        bundle_sha256=bundle.sha256,
        rows=rows,
        correct=0,
        disagreements=(),
        max_difference=None,
        passed=False,
        reasons=(reason,),
    ).save()
