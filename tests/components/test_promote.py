"""promote: the verified bundle serves, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components import promote
from components.artifacts.promotion import Promotion
from serving.errors import BundleError
from serving.registry import Registry


@pytest.fixture
def params(tmp_path):
    return promote.Params(model="tiny", models=tmp_path / "models", run="run-1")


@pytest.fixture
def run(made, verification, params, tmp_path):
    """Promotes the bundle of the small set."""

    def promoted(**changes):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        checked = replace(verification, **changes)
        return promote.run(made.bundle, made.evaluation, checked, params, out)

    return promoted


def test_verified_bundle_serves_as_the_first_version(made, run, params, contents):
    promotion = run()
    assert promotion.passed
    assert (promotion.model, promotion.version) == ("tiny", 1)
    assert promotion.bundle_sha256 == made.bundle.sha256
    assert Promotion.load(promotion.path) == promotion
    serves = Registry(params.models).promoted("tiny")
    assert (serves.version, serves.sha256, serves.run) == (1, made.bundle.sha256, "run-1")
    assert contents(serves.path) == contents(made.bundle.path)
    assert "tiny version 1 serves now" in promotion.summary()


def test_same_bundle_keeps_its_version(run, params, contents):
    run()
    before = contents(params.models)
    assert run().version == 1
    assert contents(params.models) == before


def test_verification_of_another_bundle_is_refused_and_nothing_published(made, run, params):
    refused = run(bundle_sha256="f" * 64)
    assert not refused.passed
    assert refused.version is None
    assert "ffffffffffff" in refused.reasons[0]
    assert made.bundle.sha256[:12] in refused.reasons[0]
    assert not params.models.exists()
    assert Promotion.load(refused.path) == refused


def test_changed_bundle_is_not_published(made, verification, params, tmp_path):
    import shutil

    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    changed = replace(made.bundle, path=tmp_path / "bundle")
    (changed.path / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        promote.run(changed, made.evaluation, verification, params, tmp_path)
    assert not params.models.exists()


def test_settled_only_while_this_very_bundle_serves_whole(made, run, params):
    assert promote.settled(made.bundle, params) is None
    run()
    said = promote.settled(made.bundle, params)
    assert "tiny version 1 already serves" in said
    assert promote.settled(replace(made.bundle, sha256="f" * 64), params) is None
    assert promote.settled(made.bundle, replace(params, model="other")) is None
    (params.models / "tiny/1/model.onnx").write_bytes(b"damaged")
    assert promote.settled(made.bundle, params) is None
