"""Evaluate, export and verify with their inner steps, whose outputs are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from components import evaluate, export, verify
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.statistics import Statistics
from components.artifacts.verification import Verification
from components.evaluate import predict
from components.export import convert
from components.verify import agree


@contextmanager
def _inner() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def evaluate_model(
    model: Model, examples: Examples, transform: Transform, params: evaluate.Params, out: Path
) -> Evaluation:
    """The figures of a model."""
    with _inner() as folder:
        return evaluate.run(predict.run(model, examples, transform, folder), examples, params, out)


def export_model(
    model: Model,
    transform: Transform,
    statistics: Statistics,
    examples: Examples,
    evaluation: Evaluation,
    name: str,
    out: Path,
) -> Bundle:
    """The bundle of a model."""
    with _inner() as folder:
        converted = convert.run(model, transform, statistics, examples, convert.Params(name), folder)
        return export.run(converted, examples, evaluation, out)


def verify_bundle(
    model: Model,
    transform: Transform,
    bundle: Bundle,
    examples: Examples,
    evaluation: Evaluation,
    params: verify.Params,
    out: Path,
) -> Verification:
    """What verify says of a bundle whose files were converted so."""
    with _inner() as folder:
        given = (model, transform, bundle, examples, evaluation, agree.Params(params.fresh_rows))
        return verify.run(bundle, bundle, agree.run(*given, folder), examples, evaluation, params, out)
