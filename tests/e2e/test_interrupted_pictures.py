"""An interruption is answered at once: nothing is drawn after it."""

from __future__ import annotations

import functools

from components import analyze
from pipeline.run import run


def test_interrupted_run_draws_nothing(made, tmp_path, monkeypatch, capfd):
    @functools.wraps(analyze.run)
    def interrupt(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyze, "run", interrupt)
    told = ["--dataset", "tiny", "--data-dir", str(made.data_dir), "--evaluate.min-accuracy", "0.9"]
    folders = ["--runs", str(tmp_path / "runs"), "--models", str(tmp_path / "models")]
    assert run([*told, *folders]) == 130
    assert "interrupted at analyze" in capfd.readouterr().out
    assert (tmp_path / "runs" / "artifacts").exists()
    assert not (tmp_path / "runs" / "reports").exists()
