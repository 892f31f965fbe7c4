"""pointer: the versions that a rollback can select, and those that it refuses."""

from __future__ import annotations

import shutil

import pytest

from serving.errors import BundleError, InputError
from tests.serving.tiny_bundle import publish, roll_back


def test_rollback_to_a_given_version_and_back(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    assert roll_back(registry, 1).version == 1
    assert roll_back(registry, 3).version == 3
    assert [event.to_version for event in registry.promotion_events("tiny").events] == [1, 2, 3, 1, 3]


def test_repeated_rollbacks_go_further_back(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    assert [roll_back(registry).version, roll_back(registry).version] == [2, 1]
    message = r"every earlier version of tiny was rolled back: choose one that served before \(2, 3\) with --to VERSION"
    with pytest.raises(InputError, match=message):
        roll_back(registry)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "version 1 of tiny has no earlier version"),
        (1, "version 1 serves already"),
        (7, r"version 7 of tiny never served: choose one that did \(1\) with --to"),
    ],
)
def test_impossible_rollback_is_refused_and_changes_nothing(registry, sealed, version, message):
    publish(registry, sealed)
    before = {file: file.read_bytes() for file in registry.root.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=message):
        roll_back(registry, version)
    assert {file: file.read_bytes() for file in registry.root.rglob("*") if file.is_file()} == before


def test_model_without_promotion_events_cannot_be_rolled_back(registry):
    with pytest.raises(InputError, match="has no promotion events: nothing to roll back to"):
        roll_back(registry, 1)


def test_version_that_was_never_promoted_cannot_be_rolled_back_to(registry, seal):
    publish(registry, seal())
    shutil.copytree(seal(seed=1).path, registry.root / "tiny/2")
    with pytest.raises(InputError, match="version 2 of tiny never served"):
        roll_back(registry, 2)


def test_rollback_to_a_deleted_or_damaged_version_is_refused(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    (registry.root / "tiny/1/model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        roll_back(registry, 1)
    shutil.rmtree(registry.root / "tiny/2")
    with pytest.raises(InputError, match="2 is gone"):
        roll_back(registry)
    assert [event.to_version for event in registry.promotion_events("tiny").events] == [1, 2, 3]
    assert registry.promoted("tiny").version == 3


def test_rollback_to_a_version_with_another_bundle_in_its_folder_is_refused(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    shutil.rmtree(registry.root / "tiny/1")
    shutil.copytree(seal(seed=2).path, registry.root / "tiny/1")
    with pytest.raises(BundleError, match=r"manifest\.json"):
        roll_back(registry)


def test_rollback_to_the_damaged_version_that_serves_names_the_damage(registry, seal):
    first = publish(registry, seal())
    (first.path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        roll_back(registry, 1)
