"""readers: a version that only its owner can read is named when it is promoted, and its permissions stay."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from serving.registry.readers import owner_only_message
from tests.serving.tiny_bundle import publish, roll_back


@pytest.fixture
def umask():
    """Sets the umask, and restores it after the test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def warnings(caplog):
    """The messages of the registry."""
    return lambda: [record.message for record in caplog.records if record.name == "beamline.registry"]


def test_promotion_with_a_strict_umask_is_named_and_changes_no_permissions(registry, seal, umask, warnings):
    umask(0o077)
    promoted = publish(registry, seal(), "tiny")
    (message,) = warnings()
    assert message.startswith(f"{registry.root} can be read only by its owner, so a server of another user cannot load")
    assert "tiny version 1" in message
    assert registry.root.stat().st_mode & 0o777 == 0o700
    command = message.split("`")[1]
    subprocess.run(shlex.split(command), check=True)
    assert owner_only_message(registry, promoted) is None


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o027])
def test_version_that_a_group_or_everyone_can_read_is_not_named(registry, seal, umask, warnings, mask):
    umask(mask)
    publish(registry, seal(), "tiny")
    assert warnings() == []


@pytest.mark.parametrize(
    ("name", "mode"),
    [(".", 0o700), ("promoted.json", 0o600), ("1", 0o744), ("1/model.onnx", 0o600), ("1/sample", 0o711)],
)
def test_every_file_and_folder_that_a_server_needs_counts(registry, seal, umask, warnings, name, mode):
    promoted = publish(registry, seal(), "tiny")
    (registry.root / "tiny" / name).chmod(mode)
    message = owner_only_message(registry, promoted)
    assert message is not None
    assert message.startswith(f"{registry.root / 'tiny' / name} can be read only by its owner")


def test_files_of_other_versions_do_not_count(registry, seal, umask):
    publish(registry, seal(), "tiny")
    second = publish(registry, seal(seed=1), "tiny")
    (registry.root / "tiny/1").chmod(0o700)
    assert owner_only_message(registry, second) is None


def test_rollback_to_a_version_that_only_its_owner_can_read_is_named(registry, seal, umask, warnings):
    publish(registry, seal(), "tiny")
    publish(registry, seal(seed=1), "tiny")
    (registry.root / "tiny/1").chmod(0o700)
    assert warnings() == []
    roll_back(registry, 1)
    (message,) = warnings()
    assert "tiny version 1" in message
