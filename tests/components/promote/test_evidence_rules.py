"""evidence_rules: evidence of another bundle, other weights or other test images is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.artifacts.promotion import Promotion


def swapped(candidate, other):
    """Candidates whose evidence belongs to something else, by case."""
    return {
        "evaluation of another model": replace(candidate, evaluation=other.evaluation),
        "verification of another bundle": replace(candidate, verification=other.verification),
        "bundle of another model": replace(candidate, bundle=other.bundle),
        "other test images": replace(candidate, examples=other.examples),
        "stale evaluation": replace(candidate, evaluation=replace(candidate.evaluation, min_accuracy=0.1)),
        "evaluation that the bundle was exported with, of other weights": replace(
            candidate, bundle=other.bundle, evaluation=other.evaluation
        ),
        "refused evaluation": replace(
            candidate, evaluation=replace(candidate.evaluation, passed=False, reasons=("too low",))
        ),
        "refused verification": replace(
            candidate, verification=replace(candidate.verification, passed=False, reasons=("differs",))
        ),
    }


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("evaluation of another model", "was exported with evaluation"),
        ("verification of another bundle", "the verification is of bundle"),
        ("bundle of another model", "was exported with evaluation"),
        ("other test images", "the evaluation is of test images"),
        ("stale evaluation", "was exported with evaluation"),
        ("evaluation that the bundle was exported with, of other weights", "the evaluation is of weights"),
        ("refused evaluation", "too low"),
        ("refused verification", "differs"),
    ],
)
def test_evidence_of_another_bundle_refuses_and_nothing_is_published(candidates, offer, models, case, message):
    one = candidates.candidate(candidates.examples(100), [1])
    other = candidates.candidate(candidates.examples(101), [2], weights_sha256="another model's")
    refused = offer(swapped(one, other)[case])
    assert not refused.passed
    assert refused.version is None
    assert message in refused.summary()
    assert ("run the pipeline again with --force" in refused.summary()) == (case != "refused verification")
    assert not models.exists()
    assert Promotion.load(refused.path) == refused
