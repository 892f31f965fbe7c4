"""registry: one digest, one version, and one data set under each name."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from serving import bundle
from serving.errors import BundleError, InputError
from tests.serving.tiny_bundle import publish

AFTER_ONE = ["1", "config.pbtxt", "history.jsonl", "promoted.json"]
AFTER_TWO = ["1", "2", "config.pbtxt", "history.jsonl", "promoted.json"]


def pointer(registry, model="tiny"):
    return json.loads((registry.root / model / "promoted.json").read_text(encoding="utf-8"))


def contents(registry):
    """Content, inode and time of change of every file and folder; the lock holds nothing."""
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
    assert promoted.load().manifest == sealed.manifest


def test_bundle_that_serves_already_is_not_written_again(registry, sealed):
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
    assert registry.promoted("tiny").load().sha256 == second.sha256


def test_bundle_that_served_before_keeps_its_version(registry, seal):
    first, second = seal(), seal(seed=1)
    publish(registry, first, "tiny", "run-1")
    publish(registry, second, "tiny", "run-2")
    assert publish(registry, first, "tiny", "run-3").version == 1
    assert (pointer(registry)["version"], pointer(registry)["sha256"]) == (1, first.sha256)
    assert registry.promoted("tiny").run == "run-3"
    assert names(registry) == AFTER_TWO


def test_damaged_version_is_left_as_it_is_and_the_next_one_serves(registry, sealed):
    first = publish(registry, sealed, "tiny", "run-1")
    (first.path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        registry.promoted("tiny").load()
    assert publish(registry, sealed, "tiny", "run-2").version == 2
    assert (first.path / "model.onnx").read_bytes() == b"damaged"
    assert registry.promoted("tiny").load().sha256 == sealed.sha256


def test_promoted_bundle_with_another_manifest_is_refused(registry, seal):
    promoted = publish(registry, seal(), "tiny", "run-1")
    for path in sorted(promoted.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    other = seal(seed=1)
    other.path.rename(promoted.path)
    assert bundle.load(promoted.path).manifest.training == {"preset": "linear", "seed": 1}
    with pytest.raises(BundleError, match=r"manifest\.json"):
        promoted.load()
    assert registry.serving("tiny", other.sha256) is None


def test_bundle_serves_only_under_its_digest_and_whole(registry, seal):
    first = seal()
    promoted = publish(registry, first, "tiny", "run-1")
    assert registry.serving("tiny", first.sha256) == promoted
    assert registry.serving("tiny", seal(seed=1).sha256) is None
    assert registry.serving("other", first.sha256) is None
    (promoted.path / "saved_model.pb").write_bytes(b"damaged")
    assert registry.serving("tiny", first.sha256) is None


def test_damaged_pointer_serves_nothing(registry, seal):
    first = seal()
    publish(registry, first, "tiny", "run-1")
    (registry.root / "tiny" / "promoted.json").write_text("{")
    assert registry.serving("tiny", first.sha256) is None


def test_another_data_set_needs_another_name(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    before = contents(registry)
    other = seal(dataset="other", seed=1)
    with pytest.raises(InputError, match=r"holds version 1 of tiny, this one was trained on other.*--model NAME"):
        publish(registry, other, "tiny", "run-2")
    assert contents(registry) == before
    assert publish(registry, other, "other", "run-2").version == 1


def test_another_data_set_is_refused_also_where_no_pointer_says_so(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    for name in ("promoted.json", "history.jsonl"):
        (registry.root / "tiny" / name).unlink()
    with pytest.raises(InputError, match="holds version 1 of tiny"):
        publish(registry, seal(dataset="other", seed=1), "tiny", "run-2")


@pytest.mark.parametrize(
    "content", [None, "{", "{}", "[]", "[" * 100_000], ids=["missing", "cut", "bare", "list", "nested"]
)
def test_version_whose_manifest_is_damaged_is_no_reason_to_refuse_another(registry, seal, content):
    manifest = publish(registry, seal(), "tiny", "run-1").path / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    assert publish(registry, seal(seed=1), "tiny", "run-2").version == 2


def test_number_is_never_given_twice_while_a_later_version_stands(registry, seal):
    for seed in range(2):
        publish(registry, seal(seed=seed), "tiny", "run")
    shutil.rmtree(registry.root / "tiny" / "1")
    assert publish(registry, seal(seed=2), "tiny", "run-3").version == 3


def test_only_folders_with_a_plain_number_are_versions(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    for name in ("0", "007", "5x", "-6"):
        (registry.root / "tiny" / name).mkdir()
    (registry.root / "tiny" / "9").touch()
    assert publish(registry, seal(seed=1), "tiny", "run-2").version == 2


def test_version_may_be_read_by_whoever_may_read_new_files(registry, sealed, tmp_path):
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
def test_name_that_is_no_plain_folder_name_is_refused(registry, sealed, name):
    with pytest.raises(InputError, match="is no model name"):
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


def test_pointer_without_a_digest_is_refused_rather_than_trusting_the_folder(registry, sealed):
    publish(registry, sealed, "tiny", "run-1")
    said = pointer(registry)
    said = {**said, "sha256": None, "event": {**said["event"], "bundle_sha256": None}}
    (registry.root / "tiny" / "promoted.json").write_text(json.dumps(said))
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        registry.promoted("tiny")


@pytest.mark.parametrize(("name", "value"), [("version", 2), ("sha256", "f" * 64)])
def test_pointer_that_says_otherwise_than_its_own_move_is_refused(registry, sealed, name, value):
    publish(registry, sealed, "tiny", "run-1")
    (registry.root / "tiny" / "promoted.json").write_text(json.dumps({**pointer(registry), name: value}))
    with pytest.raises(BundleError, match=r"promoted\.json is damaged .*not that of its event"):
        registry.promoted("tiny")


def test_promoting_again_mends_a_damaged_pointer_as_its_message_says(registry, sealed):
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
    assert {path: said for path, said in contents(registry).items() if path != registry.root / "tiny"} == {
        path: said for path, said in before.items() if path != registry.root / "tiny"
    }


def test_version_serves_for_a_run_only_while_it_is_on_record_and_servers_know_it(registry, sealed):
    publish(registry, sealed)
    assert registry.serving("tiny", sealed.sha256) is not None
    for name in ("history.jsonl", "config.pbtxt", "../models.config"):
        file = registry.root / "tiny" / name
        said = file.read_bytes()
        file.write_bytes(b"")
        assert registry.serving("tiny", sealed.sha256) is None
        publish(registry, sealed)
        assert file.read_bytes() == said
        assert registry.serving("tiny", sealed.sha256) is not None
