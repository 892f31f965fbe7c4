"""A registry in the working directory, without MLflow in the environment."""

from __future__ import annotations

import pytest

from pipeline.tracking import server
from serving.registry.registry import Registry
from tests.serving.tiny_bundle import publish, seal


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Two versions of a model, where the commands look for them; the second one serves."""
    monkeypatch.chdir(tmp_path)
    for name in (server.TRACKING, server.REGISTRY, server.EXPERIMENT):
        monkeypatch.delenv(name, raising=False)
    registry = Registry(tmp_path / "models")
    for seed in range(2):
        publish(registry, seal(tmp_path / str(seed), seed=seed), run=f"000{seed + 1}", accuracy=0.9)
    return registry
