"""tracking: what is remembered of MLflow; where there is none it costs nothing, where it fails nothing but words."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.__main__ import main
from pipeline.history import History
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.tracking import server, track
from pipeline.tracking.figures import cut, figures_of
from pipeline.tracking.memory import Memory, read_memory, without_credentials, write_memory
from pipeline.tracking.server import Place, absolute, place_again, place_of, within
from serving.errors import BeamlineError
from serving.registry import Registry
from tests.serving.tiny_bundle import publish, seal

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Two versions of a model, the second of which serves, where the commands look; the environment names no MLflow."""
    monkeypatch.chdir(tmp_path)
    for name in (server.TRACKING, server.REGISTRY, server.EXPERIMENT):
        monkeypatch.delenv(name, raising=False)
    registry = Registry(tmp_path / "models")
    for seed in range(2):
        publish(registry, seal(tmp_path / str(seed), seed=seed), run=f"000{seed + 1}", accuracy=0.9)
    return registry


@given(WORDS, WORDS, WORDS, st.integers(1, 65535), WORDS)
def test_address_loses_user_password_and_query_and_nothing_else(user, password, host, port, path):
    for scheme in ("https", "postgresql"):
        given = f"{scheme}://{user}:{password}@{host}:{port}/{path}?password={password}"
        assert without_credentials(given) == f"{scheme}://{host}:{port}/{path}"


@pytest.mark.parametrize(
    "uri", ["sqlite:////srv/a@b/mlflow.db", "databricks", "databricks://profile", "http://host:5000"]
)
def test_address_without_credentials_stays(uri):
    assert without_credentials(uri) == uri


def test_memory_comes_back_and_holds_no_credentials(tmp_path):
    place = Place("https://alice:hunter2@host/x", "postgresql://bob:hunter3@host/db?sslmode=require", "tiny")
    write_memory(tmp_path, place.memory(3))
    assert read_memory(tmp_path) == Memory("https://host/x", "postgresql://host/db", "tiny", 3)
    assert "hunter" not in (tmp_path / "tracking.json").read_text()
    assert place.censored("to https://alice:hunter2@host/x failed") == "to https://host/x failed"


def test_credentials_are_the_environments_where_it_names_the_same_place(registry, monkeypatch):
    memory = Memory("https://host/x", "https://host/x", "tiny")
    assert place_again(memory).uri == "https://host/x"
    monkeypatch.setenv(server.TRACKING, "https://alice:hunter2@other/x")
    assert place_again(memory).uri == "https://host/x"
    monkeypatch.setenv(server.TRACKING, "https://alice:hunter2@host/x")
    assert place_again(memory).uri == place_again(memory).registry_uri == "https://alice:hunter2@host/x"


def test_place_is_beside_the_runs_or_where_the_environment_says(registry, tmp_path, monkeypatch):
    place = place_of(Path("odd #1 %"), "tiny")
    assert place.uri == place.registry_uri == f"sqlite:///{tmp_path}/odd %231 %25/mlflow.db"
    assert (place.experiment, place.artifacts) == ("tiny", (tmp_path / "odd #1 %" / "mlflow").as_uri())
    monkeypatch.setenv(server.TRACKING, "sqlite:///here.db")
    monkeypatch.setenv(server.REGISTRY, "https://host")
    monkeypatch.setenv(server.EXPERIMENT, "nightly")
    assert place_of(Path("runs"), "tiny") == Place(f"sqlite:///{tmp_path}/here.db", "https://host", "nightly")
    assert absolute("sqlite:////srv/x.db") == "sqlite:////srv/x.db"


def test_database_that_is_gone_is_not_made_anew(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with pytest.raises(BeamlineError, match=r"mlflow\.db is gone"):
        place_again(Memory(uri, uri, "tiny"))
    (tmp_path / "mlflow.db").touch()
    assert place_again(Memory(uri, uri, "tiny")).uri == uri


@pytest.mark.parametrize("followed", [None, 2])
def test_rollback_of_what_nobody_tracks_and_look_at_what_is_followed_import_nothing(registry, monkeypatch, followed):
    def connect(place):
        raise AssertionError("nobody is to be asked")

    monkeypatch.setattr(server, "connect", connect)
    if followed is not None:
        (registry.root / "x.db").touch()
        uri = f"sqlite:///{registry.root}/x.db"
        write_memory(registry.root / "tiny", Memory(uri, uri, "tiny", followed))
    assert track.follow_pointer(registry.root, "tiny") is None
    assert "mlflow" not in sys.modules


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"tracker": "mlflow"}', '{"tracker": "other"}'])
def test_memory_that_cannot_be_read_is_told_and_fails_no_rollback(registry, capsys, content):
    (registry.root / "tiny/tracking.json").write_text(content)
    assert main(["rollback", "tiny", "--reason", "slow"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("tiny version 1 serves now")
    assert "tracking.json cannot be read" in said.err
    assert len(said.err.splitlines()) == 1
    assert registry.promoted("tiny").version == 1


def test_what_does_not_answer_delays_no_rollback_for_long(registry, monkeypatch, capsys):
    hangs = threading.Event()
    monkeypatch.setattr(server, "connect", lambda place: hangs.wait())
    monkeypatch.setattr(track, "MOVE_SECONDS", 0.01)
    write_memory(registry.root / "tiny", Memory("https://host", "https://host", "tiny"))
    assert main(["rollback", "tiny", "--reason", "slow"]) == 0
    hangs.set()
    assert "no answer within 0.01 seconds" in capsys.readouterr().err
    assert registry.promoted("tiny").version == 1


def test_work_in_time_gives_its_result_or_its_own_exception():
    assert within(60, lambda: 7) == 7
    with pytest.raises(TimeoutError, match="its own"):
        within(60, _times_out)


def _times_out():
    raise TimeoutError("its own")


def test_registry_does_not_mind_the_file(registry):
    before = registry.server_files("tiny")
    write_memory(registry.root / "tiny", Memory("https://host", "https://host", "tiny"))
    assert registry.models() == ["tiny"]
    assert registry.server_files("tiny") == before
    assert registry.serving("tiny", registry.promoted("tiny").sha256).version == 2


@given(st.text(), st.integers(2, 50))
def test_words_are_cut_to_what_fits(words, characters):
    assert len(cut(words, characters)) <= characters
    assert cut(words, characters) == words or len(words) > characters


def test_figures_of_a_failed_run_are_its_parameters_and_reasons(tmp_path):
    begun = History(tmp_path).begin("0001", parse_run(["--dataset", "folder:/a=b/ü?", "--model", "tiny"]))
    failed = (Outcome("train", "failed", reasons=("é" * 9000,), exit_code=1),)
    figures = figures_of(replace(begun, verdict="failed", steps=failed), None, None, None)
    assert (figures.params["train.hidden"], figures.params["train.epochs"]) == ("[128, 128]", "5")
    assert figures.epochs == ()
    assert figures.tags["beamline.verdict"] == "failed"
    assert figures.tags["beamline.reasons"].startswith("train: éé")
    assert all(0 < len(value) <= 6000 for value in (*figures.params.values(), *figures.tags.values()))
    assert json.dumps(figures.metrics) == '{"run_seconds": 0.0}'
