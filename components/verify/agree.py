"""Model + Transform + converted bundle + Examples + Predictions -> Agreement: do its files score as the model does?

It is apart from `verify`, because it takes long and depends on no limit of the gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Predictions
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.verification import Agreement
from serving.arguments.ranges import Range


@dataclass(frozen=True)
class Params:
    """What is compared.

    Attributes:
        fresh_rows: number of test images that the process without TensorFlow scores.
    """

    fresh_rows: Annotated[int, Range(1, 10**9)] = 10_000


def run(
    model: Model,
    transform: Transform,
    converted: Bundle,
    examples: Examples,
    predictions: Predictions,
    params: Params,
    out: Path,
) -> Agreement:
    """Compares the bundle with the trained weights: every constant, and the probabilities of the test set.

    All backends score the test set, and the ONNX model again in a process without TensorFlow.

    Raises: BeamlineError: the machine failed, which says nothing about the bundle.
    """
    from components.verify.comparison import compare_bundle

    return compare_bundle(model, transform, converted, examples, predictions, params.fresh_rows, out)
