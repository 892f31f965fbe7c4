"""server: the tracking state: it is read back, has no credentials, and does not disturb the registry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking.server import (
    TrackingServer,
    TrackingState,
    read_tracking_state,
    without_credentials,
    write_tracking_state,
)
from serving.registry.server_files import server_files, up_to_date_version

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1)


@given(NAMES, NAMES, NAMES, st.integers(1, 65535), NAMES)
def test_only_user_password_and_query_are_removed(user, password, host, port, path):
    for scheme in ("https", "postgresql"):
        uri = f"{scheme}://{user}:{password}@{host}:{port}/{path}?password={password}"
        assert without_credentials(uri) == f"{scheme}://{host}:{port}/{path}"


@pytest.mark.parametrize(
    "uri", ["sqlite:////srv/a@b/mlflow.db", "databricks", "databricks://profile", "http://host:5000"]
)
def test_uri_without_credentials_is_unchanged(uri):
    assert without_credentials(uri) == uri


def test_state_is_read_back_and_has_no_credentials(tmp_path):
    server = TrackingServer("https://alice:hunter2@host/x", "postgresql://bob:hunter3@host/db?sslmode=require", "tiny")
    write_tracking_state(tmp_path, server.state(3))
    assert read_tracking_state(tmp_path) == TrackingState("https://host/x", "postgresql://host/db", "tiny", 3)
    assert "hunter" not in (tmp_path / "tracking.json").read_text()
    assert server.redact("to https://alice:hunter2@host/x failed") == "to https://host/x failed"


def test_registry_ignores_the_file(registry):
    before = server_files(registry, "tiny")
    write_tracking_state(registry.root / "tiny", TrackingState("https://host", "https://host", "tiny"))
    assert registry.models() == ["tiny"]
    assert server_files(registry, "tiny") == before
    assert up_to_date_version(registry, "tiny", registry.promoted("tiny").sha256).version == 2
