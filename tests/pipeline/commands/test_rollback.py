"""rollback and history: what they do and say, in the message of who did it."""

from __future__ import annotations

import errno
import json
import os

import pytest

from pipeline.__main__ import main
from serving.registry.registry import Registry
from tests.serving.tiny_bundle import publish, seal


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Two versions of a model in the default folder; the second one serves."""
    monkeypatch.chdir(tmp_path)
    registry = Registry(tmp_path / "models")
    for seed in range(2):
        publish(registry, seal(tmp_path / str(seed), seed=seed), run=f"000{seed + 1}", accuracy=0.9)
    return registry


def test_rollback_serves_the_given_version_and_keeps_the_reason_on_one_line(registry, capsys):
    assert main(["rollback", "tiny", "--to", "1", "--reason", " too slow\n at night "]) == 0
    assert capsys.readouterr().out.startswith("tiny version 1 serves now instead of version 2, sha256 ")
    assert registry.promoted("tiny").version == 1
    assert registry.promotion_events("tiny").last.reason == "too slow at night"


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_empty_reason_is_refused(registry, capsys, reason):
    assert main(["rollback", "tiny", "--reason", reason]) == 2
    assert "--reason is missing" in capsys.readouterr().err
    assert registry.promoted("tiny").version == 2


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "one", ""])
def test_version_must_be_a_number(registry, capsys, version):
    assert main(["rollback", "tiny", f"--to={version}", "--reason", "a trial"]) == 2
    assert f"--to {version} is not a version: give a number, 1 or more" in capsys.readouterr().err
    assert registry.promoted("tiny").version == 2


def test_history_lists_every_event_and_every_damaged_line(registry, capsys):
    lines = registry.root / "tiny/history.jsonl"
    first, second = lines.read_bytes().splitlines(keepends=True)
    compared = json.loads(second) | {
        "difference": {"gained": 3, "lost": 5, "value": -0.002, "low": -0.01, "high": 0.006}
    }
    lines.write_bytes(first + b"damaged\n" + json.dumps(compared).encode() + b"\n")
    assert main(["history", "tiny"]) == 0
    _, one, two, damaged = capsys.readouterr().out.splitlines()
    assert tuple(one.split()[3:9]) == ("promote", "-", "->", "1", "0.9000", "0001")
    assert tuple(two.split()[3:9]) == ("promote", "1", "->", "2", "0.9000", "0002")
    assert one.split()[10] == "-"
    assert two.split(maxsplit=10)[10].startswith("-0.0020 (-0.0100 to +0.0060) ")
    assert one.endswith(": because it is good")
    assert damaged == "models/tiny/history.jsonl, line 2, is damaged and not shown"


def test_damaged_history_is_not_an_empty_history(registry, capsys):
    (registry.root / "tiny/promoted.json").unlink()
    (registry.root / "tiny/history.jsonl").write_text("damaged\n")
    assert main(["history", "tiny"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["models/tiny/history.jsonl, line 1, is damaged and not shown"]


def test_model_without_a_history_is_refused(registry, capsys):
    (registry.root / "never").mkdir()
    assert main(["history", "never"]) == 2
    assert "models/never has no history: nothing was promoted there yet" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [("--to", "1"), ()])
def test_damaged_line_that_may_be_the_version_is_named(registry, capsys, flags):
    lines = registry.root / "tiny/history.jsonl"
    lines.write_bytes(b"damaged\n" + lines.read_bytes().splitlines(keepends=True)[1])
    assert main(["rollback", "tiny", *flags, "--reason", "slow"]) == 2
    assert capsys.readouterr().err == (
        "rollback: models/tiny/history.jsonl is damaged in line 1, where the version may be: restore it, or give "
        "another one with --to VERSION\n"
    )


def deny(monkeypatch, name, number=errno.EACCES):
    """A folder that this process cannot read; root could."""
    real = os.listdir

    def listdir(path="."):
        if os.path.basename(path) == name:
            raise OSError(number, os.strerror(number), str(path))
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)


@pytest.mark.parametrize("command", [("history", "other"), ("rollback", "other", "--reason", "slow")])
@pytest.mark.parametrize(
    ("number", "exit_code", "sentence"),
    [
        (errno.EACCES, 2, "models cannot be read: Permission denied: give this process the permission"),
        (errno.EIO, 1, "models cannot be read or written (Input/output error): check the disk"),
    ],
)
def test_registry_that_cannot_be_read_is_not_an_empty_one(
    registry, monkeypatch, capsys, number, exit_code, sentence, command
):
    deny(monkeypatch, "models", number)
    assert main([*command]) == exit_code
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EROFS, "cannot be read or written (Read-only file system): mount its file system for writing, or give"),
        (errno.EACCES, "cannot be read or written (Permission denied): give this user the permission, or give another"),
        (errno.ENOSPC, "the disk of --models models is full (No space left on device: "),
    ],
)
def test_folder_that_cannot_be_written_is_one_sentence_and_names_what_serves(
    registry, capsys, monkeypatch, number, sentence
):
    def replace(source, target, really=os.replace):
        if str(target).endswith("promoted.json"):
            raise OSError(number, os.strerror(number), str(source), None, str(target))
        really(source, target)

    monkeypatch.setattr(os, "replace", replace)
    assert main(["rollback", "tiny", "--reason", "slow"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert printed.err.endswith("another folder with --models; version 2 of tiny serves as before\n")
    assert printed.err.count("\n") == 1
    assert registry.promoted("tiny").version == 2
