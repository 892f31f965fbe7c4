"""The pipeline, on one page: which step takes what from which."""

from __future__ import annotations

from components import analyze, evaluate, export, ingest, promote, train, transform, validate, verify
from components.evaluate import predict
from components.export import convert
from components.verify import agree
from pipeline.engine.step import InnerStep, Step
from pipeline.settings.config import Config


def pipeline(config: Config) -> tuple[Step, ...]:
    """The nine steps, in an order in which each comes after those whose outputs it takes.

    Evaluate, export and verify have inner steps, for what does not depend on the gate.

    Args:
        config: the parameters of every step.
    """
    examples = Step(ingest, config.ingest)
    statistics = Step(analyze, examples=examples)
    anomalies = Step(validate, config.validate, examples=examples, statistics=statistics)
    transformed = Step(transform, config.transform, statistics=statistics, anomalies=anomalies)
    model = Step(train, config.train, examples=examples, transform=transformed)
    predictions = InnerStep(predict, model=model, examples=examples, transform=transformed)
    evaluation = Step(evaluate, config.evaluate, predictions=predictions, examples=examples)
    converted = InnerStep(
        convert,
        convert.Params(config.model),
        model=model,
        transform=transformed,
        statistics=statistics,
        examples=examples,
    )
    bundle = Step(export, converted=converted, examples=examples, evaluation=evaluation)
    agreement = InnerStep(
        agree,
        agree.Params(config.verify.fresh_rows),
        model=model,
        transform=transformed,
        converted=converted,
        examples=examples,
        predictions=predictions,
    )
    verification = Step(
        verify,
        config.verify,
        bundle=bundle,
        converted=converted,
        agreement=agreement,
        examples=examples,
        evaluation=evaluation,
    )
    promotion = Step(
        promote,
        config.promote,
        bundle=bundle,
        evaluation=evaluation,
        verification=verification,
        examples=examples,
    )
    return examples, statistics, anomalies, transformed, model, evaluation, bundle, verification, promotion
