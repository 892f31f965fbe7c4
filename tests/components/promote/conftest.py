"""Fixtures of the promote tests: a registry, candidates with chosen outcomes, and a way to promote them."""

from __future__ import annotations

import pytest

from tests.components.candidates import Candidate, Candidates


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def candidates(tmp_path, made, verification):
    return Candidates(tmp_path / "candidates", made.evaluation, verification)


@pytest.fixture
def offer(tmp_path, models):
    """Candidate, parameters -> Promotion, in a folder of its own."""
    count = 0

    def promoted(candidate, **params):
        nonlocal count
        count += 1
        return candidate.promoted(tmp_path / "out" / str(count), models, **params)

    return promoted


@pytest.fixture
def tiny(made, verification):
    """The artifacts of the small data set, as a candidate."""
    return Candidate(made.bundle, made.evaluation, verification, made.examples)
