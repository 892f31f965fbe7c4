"""An interruption is answered at once: its card is written, and nothing is drawn after it."""

from __future__ import annotations

import functools

import pytest

from components import analyze
from pipeline.commands.run import run

pytestmark = pytest.mark.exhaustive


def test_interrupted_run_draws_nothing(made, tmp_path, monkeypatch, capfd):
    @functools.wraps(analyze.run)
    def interrupt(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyze, "run", interrupt)
    flags = ["--dataset", "tiny", "--data-dir", str(made.data_dir), "--evaluate.min-accuracy", "0.9"]
    folders = ["--runs", str(tmp_path / "runs"), "--models", str(tmp_path / "models")]
    assert run([*flags, *folders]) == 130
    assert "interrupted at analyze" in capfd.readouterr().out
    assert (tmp_path / "runs" / "artifacts").exists()
    reports = tmp_path / "runs" / "reports"
    # The card alone: neither a folder of pictures nor the memory of drawings.
    assert [file.name for file in reports.iterdir()] == ["0001.html"]
    page = (reports / "0001.html").read_text(encoding="utf-8")
    assert "analyze" in page
    assert "interrupted" in page
