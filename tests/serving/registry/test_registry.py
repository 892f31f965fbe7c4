"""registry: a digest has one version, and a model name has one data set."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from serving.bundle.bundle import load_bundle
from serving.errors import BundleError, InputError
from serving.registry.server_files import up_to_date_version
from tests.serving.tiny_bundle import loaded, publish

AFTER_ONE = ["1", "config.pbtxt", "history.jsonl", "promoted.json"]
AFTER_TWO = ["1", "2", "config.pbtxt", "history.jsonl", "promoted.json"]


def pointer(registry, model="tiny"):
    return json.loads((registry.root / model / "promoted.json").read_text(encoding="utf-8"))


def contents(registry):
    """Content, inode and time of change of every file and folder except the lock."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in registry.root.rglob("*")
        if path.name != ".lock"
    }


def names(registry, model="tiny"):
    return sorted(path.name for path in (registry.root / model).iterdir() if path.name != ".lock")


def test_first_bundle_becomes_version_1_and_serves(registry, sealed):
    promoted = publish(registry, sealed, "tiny", "run-1")
    digest = hashlib.sha256((sealed.path / "manifest.json").read_bytes()).hexdigest()
    assert (pointer(registry)["version"], pointer(registry)["sha256"]) == (1, digest)
    assert names(registry) == AFTER_ONE
    assert registry.promoted("tiny") == promoted
    assert (promoted.version, promoted.path) == (1, registry.root / "tiny" / "1")
    assert load_bundle(promoted.path, promoted.sha256).manifest == sealed.manifest


def test_bundle_that_serves_already_changes_nothing(registry, sealed):
    first = publish(registry, sealed, "tiny", "run-1")
    before = contents(registry)
    assert publish(registry, sealed, "tiny", "run-2") == first
    assert contents(registry) == before


def test_another_bundle_becomes_the_next_version(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    second = seal(seed=1)
    publish(registry, second, "tiny", "run-2")
    assert (pointer(registry)["version"], pointer(registry)["sha256"]) == (2, second.sha256)
    assert registry.promoted("tiny").run == "run-2"
    assert names(registry) == AFTER_TWO
    assert loaded(registry.promoted("tiny")).sha256 == second.sha256


def test_bundle_that_served_before_keeps_its_version(registry, seal):
    first, second = seal(), seal(seed=1)
    publish(registry, first, "tiny", "run-1")
    publish(registry, second, "tiny", "run-2")
    assert publish(registry, first, "tiny", "run-3").version == 1
    assert (pointer(registry)["version"], pointer(registry)["sha256"]) == (1, first.sha256)
    assert registry.promoted("tiny").run == "run-3"
    assert names(registry) == AFTER_TWO


def test_damaged_version_is_kept_and_the_bundle_gets_the_next_number(registry, sealed):
    first = publish(registry, sealed, "tiny", "run-1")
    (first.path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        loaded(registry.promoted("tiny"))
    assert publish(registry, sealed, "tiny", "run-2").version == 2
    assert (first.path / "model.onnx").read_bytes() == b"damaged"
    assert loaded(registry.promoted("tiny")).sha256 == sealed.sha256


def test_promoted_bundle_with_another_manifest_is_refused(registry, seal):
    promoted = publish(registry, seal(), "tiny", "run-1")
    for path in sorted(promoted.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    other = seal(seed=1)
    other.path.rename(promoted.path)
    assert load_bundle(promoted.path).manifest.training == {"preset": "linear", "seed": 1}
    with pytest.raises(BundleError, match=r"manifest\.json"):
        load_bundle(promoted.path, promoted.sha256)
    assert up_to_date_version(registry, "tiny", other.sha256) is None


def test_bundle_is_up_to_date_only_if_its_digest_serves_and_it_is_intact(registry, seal):
    first = seal()
    promoted = publish(registry, first, "tiny", "run-1")
    assert up_to_date_version(registry, "tiny", first.sha256) == promoted
    assert up_to_date_version(registry, "tiny", seal(seed=1).sha256) is None
    assert up_to_date_version(registry, "other", first.sha256) is None
    (promoted.path / "saved_model.pb").write_bytes(b"damaged")
    assert up_to_date_version(registry, "tiny", first.sha256) is None


def test_damaged_pointer_is_not_up_to_date(registry, seal):
    first = seal()
    publish(registry, first, "tiny", "run-1")
    (registry.root / "tiny" / "promoted.json").write_text("{")
    assert up_to_date_version(registry, "tiny", first.sha256) is None


def test_another_data_set_needs_another_model_name(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    before = contents(registry)
    other = seal(dataset="other", seed=1)
    with pytest.raises(
        InputError, match=r"holds a model of tiny \(version 1\), but this model was trained on other.*--model NAME"
    ):
        publish(registry, other, "tiny", "run-2")
    assert contents(registry) == before
    assert publish(registry, other, "other", "run-2").version == 1


def test_another_data_set_is_refused_even_without_a_pointer(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    for name in ("promoted.json", "history.jsonl"):
        (registry.root / "tiny" / name).unlink()
    with pytest.raises(InputError, match=r"holds a model of tiny \(version 1\)"):
        publish(registry, seal(dataset="other", seed=1), "tiny", "run-2")


@pytest.mark.parametrize(
    "content", [None, "{", "{}", "[]", "[" * 100_000], ids=["missing", "cut", "bare", "list", "nested"]
)
def test_damaged_manifest_of_a_version_does_not_prevent_a_promotion(registry, seal, content):
    manifest = publish(registry, seal(), "tiny", "run-1").path / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    assert publish(registry, seal(seed=1), "tiny", "run-2").version == 2


def test_number_of_a_deleted_version_is_not_given_again(registry, seal):
    for seed in range(2):
        publish(registry, seal(seed=seed), "tiny", "run")
    shutil.rmtree(registry.root / "tiny" / "1")
    assert publish(registry, seal(seed=2), "tiny", "run-3").version == 3


def test_only_folders_named_by_a_number_are_versions(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    for name in ("0", "007", "5x", "-6"):
        (registry.root / "tiny" / name).mkdir()
    (registry.root / "tiny" / "9").touch()
    assert publish(registry, seal(seed=1), "tiny", "run-2").version == 2


def test_version_has_the_permissions_of_a_new_file(registry, sealed, tmp_path):
    (tmp_path / "new").touch()
    for name in sealed.files:
        (sealed.path / name).chmod(0o400)
    promoted = publish(registry, sealed, "tiny", "run-1")
    assert {(promoted.path / name).stat().st_mode for name in sealed.files} == {(tmp_path / "new").stat().st_mode}


def test_models_are_those_with_a_promoted_version(registry, sealed):
    assert registry.models() == []
    for model in ("second", "first"):
        publish(registry, sealed, model, "run-1")
    (registry.root / "never").mkdir()
    assert registry.models() == ["first", "second"]
    assert registry.promoted("never") is None
    assert registry.promoted("nowhere") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "/root", "-dash", ".hidden", "a b", "a\n", "größe"])
def test_invalid_model_name_is_refused(registry, sealed, name):
    with pytest.raises(InputError, match="is not a valid model name"):
        publish(registry, sealed, name, "run-1")
    assert not registry.root.exists()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"version": 1}', '{"version": "one", "sha256": "", "event": {}}', "[" * 100_000],
    ids=["empty", "cut", "list", "null", "bare", "version", "event", "nested"],
)
def test_damaged_pointer_is_refused(registry, sealed, content):
    publish(registry, sealed, "tiny", "run-1")
    (registry.root / "tiny" / "promoted.json").write_text(content)
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        registry.promoted("tiny")


def test_pointer_without_a_digest_is_refused(registry, sealed):
    publish(registry, sealed, "tiny", "run-1")
    data = pointer(registry)
    data = {**data, "sha256": None, "event": {**data["event"], "bundle_sha256": None}}
    (registry.root / "tiny" / "promoted.json").write_text(json.dumps(data))
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        registry.promoted("tiny")


@pytest.mark.parametrize(("name", "value"), [("version", 2), ("sha256", "f" * 64)])
def test_pointer_that_differs_from_its_event_is_refused(registry, sealed, name, value):
    publish(registry, sealed, "tiny", "run-1")
    (registry.root / "tiny" / "promoted.json").write_text(json.dumps({**pointer(registry), name: value}))
    with pytest.raises(BundleError, match=r"promoted\.json is damaged .*not that of its event"):
        registry.promoted("tiny")


def test_promoting_again_repairs_a_damaged_pointer(registry, sealed):
    publish(registry, sealed, "tiny", "run-1")
    (registry.root / "tiny" / "promoted.json").write_text("{")
    with pytest.raises(BundleError, match="promote the model again"):
        registry.promoted("tiny")
    assert publish(registry, sealed, "tiny", "run-2").version == 1
    assert registry.promoted("tiny").run == "run-1"


def test_bundle_that_changed_after_loading_is_not_published(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    before = contents(registry)
    second = seal(seed=1)
    (second.path / "saved_model.pb").write_bytes(b"changed")
    with pytest.raises(BundleError, match=r"saved_model\.pb"):
        publish(registry, second, "tiny", "run-2")
    assert {path: content for path, content in contents(registry).items() if path != registry.root / "tiny"} == {
        path: content for path, content in before.items() if path != registry.root / "tiny"
    }


def test_version_is_up_to_date_only_if_it_is_recorded_and_in_the_server_files(registry, sealed):
    publish(registry, sealed)
    assert up_to_date_version(registry, "tiny", sealed.sha256) is not None
    for name in ("history.jsonl", "config.pbtxt", "../models.config"):
        file = registry.root / "tiny" / name
        content = file.read_bytes()
        file.write_bytes(b"")
        assert up_to_date_version(registry, "tiny", sealed.sha256) is None
        publish(registry, sealed)
        assert file.read_bytes() == content
        assert up_to_date_version(registry, "tiny", sealed.sha256) is not None
