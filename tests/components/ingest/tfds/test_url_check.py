"""url_check: a host that does not send the file is reported within seconds."""

from __future__ import annotations

import functools
import http.server
import socket
import threading

import pytest

import components.ingest.tfds.url_check
from components.ingest.tfds.url_check import unreachable_reason


def test_host_that_refuses_the_connection_is_reported():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound and not listening: connections are refused.
        reason = unreachable_reason(f"http://127.0.0.1:{taken.getsockname()[1]}/file")
    assert "cannot be reached (" in reason


def test_silent_host_is_given_up_within_the_limit(monkeypatch):
    monkeypatch.setattr(components.ingest.tfds.url_check, "NETWORK_SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        reason = unreachable_reason(f"http://127.0.0.1:{silent.getsockname()[1]}/file")
    assert "0.05 s" in reason or "timed out" in reason


@pytest.mark.parametrize(("file", "reason"), [("there.gz", None), ("gone.gz", "answered 404 File not found")])
def test_host_without_the_file_is_reported(tmp_path, file, reason):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    (tmp_path / "there.gz").write_bytes(b"content")
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert unreachable_reason(f"http://127.0.0.1:{server.server_port}/{file}") == reason
