"""What the tests of serving share: small sealed bundles, and a registry to publish them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from serving.bundle import Bundle
from serving.registry import Registry
from tests.serving import tiny_bundle


@pytest.fixture
def seal(tmp_path: Path) -> Callable[..., Bundle]:
    """Makes bundles, each in its own folder; takes what `tiny_bundle.seal` takes."""
    made = []

    def make(**said) -> Bundle:
        made.append(tiny_bundle.seal(tmp_path / "sealed" / str(len(made)), **said))
        return made[-1]

    return make


@pytest.fixture
def sealed(seal: Callable[..., Bundle]) -> Bundle:
    return seal()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")
