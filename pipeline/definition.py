"""The pipeline, on one page: which step takes what from which."""

from __future__ import annotations

from components import analyze, evaluate, export, ingest, promote, train, transform, validate, verify
from pipeline.engine.step import Step
from pipeline.settings.config import Config


def pipeline(config: Config) -> tuple[Step, ...]:
    """The nine steps, in an order in which each comes after those whose outputs it takes.

    Args:
        config: the parameters of every step.
    """
    examples = Step(ingest, config.ingest)
    statistics = Step(analyze, examples=examples)
    anomalies = Step(validate, config.validate, examples=examples, statistics=statistics)
    transformed = Step(transform, config.transform, statistics=statistics, anomalies=anomalies)
    model = Step(train, config.train, examples=examples, transform=transformed)
    evaluation = Step(evaluate, config.evaluate, model=model, examples=examples, transform=transformed)
    bundle = Step(
        export,
        export.Params(config.model),
        model=model,
        transform=transformed,
        statistics=statistics,
        examples=examples,
        evaluation=evaluation,
    )
    verification = Step(
        verify,
        config.verify,
        model=model,
        transform=transformed,
        bundle=bundle,
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
