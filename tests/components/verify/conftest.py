"""Fixtures of the verify tests: a way to verify a bundle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.verify import verify
from tests.components import whole_steps


@pytest.fixture
def verify_bundle(made, tmp_path):
    """Bundle, Params, changes of the evaluation -> Verification against the trained model of the small data set."""

    def run(bundle, params=None, **changes):
        out = tmp_path / "out"
        out.mkdir()
        evaluation = replace(made.evaluation, **changes)
        params = params or verify.Params()
        return whole_steps.verify_bundle(made.model, made.transform, bundle, made.examples, evaluation, params, out)

    return run
