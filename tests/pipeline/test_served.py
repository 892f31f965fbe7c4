"""rollback and history: what they do and say, in the words of who did it."""

from __future__ import annotations

import pytest

from pipeline.__main__ import main
from serving.registry import Registry
from tests.serving.tiny_bundle import publish, seal


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Two versions of a model, the second of which serves, in the folder where the commands look."""
    monkeypatch.chdir(tmp_path)
    registry = Registry(tmp_path / "models")
    for seed in range(2):
        publish(registry, seal(tmp_path / str(seed), seed=seed), run=f"000{seed + 1}", accuracy=0.9)
    return registry


def test_rollback_goes_where_it_is_told_and_keeps_why_on_one_line(registry, capsys):
    assert main(["rollback", "tiny", "--to", "1", "--reason", " too slow\n at night "]) == 0
    assert capsys.readouterr().out.startswith("tiny version 1 serves now instead of version 2, sha256 ")
    assert registry.promoted("tiny").version == 1
    assert registry.history("tiny").last.reason == "too slow at night"


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_reason_without_a_word_is_none(registry, capsys, reason):
    assert main(["rollback", "tiny", "--reason", reason]) == 2
    assert "--reason is missing" in capsys.readouterr().err
    assert registry.promoted("tiny").version == 2


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "one", ""])
def test_version_that_is_no_number_is_refused(registry, capsys, version):
    assert main(["rollback", "tiny", f"--to={version}", "--reason", "a trial"]) == 2
    assert f"--to {version} is no version: give a number, 1 or more" in capsys.readouterr().err
    assert registry.promoted("tiny").version == 2


def test_history_shows_every_move_and_every_line_that_it_cannot_read(registry, capsys):
    lines = registry.root / "tiny/history.jsonl"
    first, second = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(first + b"damaged\n" + second)
    assert main(["history", "tiny"]) == 0
    _, one, two, damaged = capsys.readouterr().out.splitlines()
    assert tuple(one.split()[3:9]) == ("promote", "-", "->", "1", "0.9000", "0001")
    assert tuple(two.split()[3:9]) == ("promote", "1", "->", "2", "0.9000", "0002")
    assert one.endswith(": because it is good")
    assert damaged == "line 2 cannot be read"


def test_history_of_which_nothing_can_be_read_is_not_said_to_be_none(registry, capsys):
    (registry.root / "tiny/promoted.json").unlink()
    (registry.root / "tiny/history.jsonl").write_text("damaged\n")
    assert main(["history", "tiny"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["line 1 cannot be read"]


def test_model_without_a_history_is_said_to_have_none(registry, capsys):
    (registry.root / "never").mkdir()
    assert main(["history", "never"]) == 2
    assert "models/never has no history: nothing was promoted there yet" in capsys.readouterr().err
