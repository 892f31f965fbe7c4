"""Fixtures of the verify tests: a copy of the exported bundle, and a way to verify it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from components.verify import verify


@pytest.fixture
def verify_bundle(made, tmp_path):
    """Bundle, Params, changes of the evaluation -> Verification against the trained model of the small data set."""

    def run(bundle, params=None, **changes):
        out = tmp_path / "out"
        out.mkdir()
        evaluation = replace(made.evaluation, **changes)
        params = params or verify.Params()
        return verify.run(made.model, made.transform, bundle, made.examples, evaluation, params, out)

    return run


@pytest.fixture
def bundle_copy(made, tmp_path):
    """A copy of the exported bundle's folder."""
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    return tmp_path / "bundle"
