"""track: untracked models need no MLflow, and a failure of MLflow is only a warning."""

from __future__ import annotations

import sys
import threading

import pytest

from pipeline.__main__ import main
from pipeline.tracking import track
from pipeline.tracking.server import TrackingState, write_tracking_state


@pytest.mark.parametrize("followed", [None, 2])
def test_mlflow_is_not_imported_for_an_untracked_model_or_if_the_alias_is_up_to_date(registry, monkeypatch, followed):
    def connect(server):
        raise AssertionError("there is nothing to send")

    monkeypatch.setattr(track, "connect", connect)
    if followed is not None:
        (registry.root / "x.db").touch()
        uri = f"sqlite:///{registry.root}/x.db"
        write_tracking_state(registry.root / "tiny", TrackingState(uri, uri, "tiny", followed))
    assert track.update_alias(registry.root, "tiny") is None
    assert "mlflow" not in sys.modules


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"tracker": "mlflow"}', '{"tracker": "other"}'])
def test_rollback_succeeds_with_a_warning_if_the_state_cannot_be_read(registry, capsys, content):
    (registry.root / "tiny/tracking.json").write_text(content)
    assert main(["rollback", "tiny", "--reason", "slow"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("tiny version 1 serves now")
    assert "tracking.json cannot be read" in output.err
    assert len(output.err.splitlines()) == 1
    assert registry.promoted("tiny").version == 1


def test_server_that_does_not_answer_delays_a_rollback_only_for_a_limited_time(registry, monkeypatch, capsys):
    hangs = threading.Event()
    monkeypatch.setattr(track, "connect", lambda server: hangs.wait())
    monkeypatch.setattr(track, "ALIAS_SECONDS", 0.01)
    write_tracking_state(registry.root / "tiny", TrackingState("https://host", "https://host", "tiny"))
    assert main(["rollback", "tiny", "--reason", "slow"]) == 0
    hangs.set()
    assert "no answer within 0.01 seconds" in capsys.readouterr().err
    assert registry.promoted("tiny").version == 1
