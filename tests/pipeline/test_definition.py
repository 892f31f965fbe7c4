"""definition: the nine steps, in an order that can be run."""

from __future__ import annotations

import pytest

from pipeline.definition import pipeline
from pipeline.settings.options import parse_run

NAMES = ["ingest", "analyze", "validate", "transform", "train", "evaluate", "export", "verify", "promote"]


def test_nine_steps_each_after_its_inputs():
    steps = pipeline(parse_run([]).config)
    assert [step.name for step in steps] == NAMES
    for place, step in enumerate(steps):
        assert step.sources.keys() <= set(NAMES[:place])
        assert {source.name for source in step.inputs.values()} - {inner.name for inner in step.inner} <= set(NAMES)


@pytest.mark.parametrize(
    ("argument", "unchanged"),
    [
        ("--train.epochs=4", 4),
        ("--validate.max-skew=0.2", 2),
        ("--validate.schema=nowhere.json", 9),
        ("--transform.normalization=standardize", 3),
        ("--transform.augment", 3),
        ("--transform.shift=0.2", 3),
        ("--evaluate.min-accuracy=0.5", 5),
        ("--verify.fresh-rows=7", 7),
        ("--seed=8", 4),
        ("--preset=linear", 4),
        ("--runs=elsewhere", 9),
        ("--models=elsewhere", 9),
        ("--verbose", 9),
    ],
)
def test_argument_changes_the_keys_of_its_own_step_alone(argument, unchanged):
    def keys(arguments):
        steps = pipeline(parse_run(arguments).config)
        inputs = [dict.fromkeys(step.inputs, "same") for step in steps]
        return [step.key(step.parts(digests, {})) for step, digests in zip(steps, inputs, strict=True)]

    same = [old == new for old, new in zip(keys([]), keys([argument]), strict=True)]
    assert same == [place != unchanged for place in range(9)]
