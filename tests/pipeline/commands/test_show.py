"""show: verdict, reasons, steps, configuration."""

from __future__ import annotations


def test_show_starts_with_verdict_and_reason(two_runs, lines):
    text = lines("show", "2")
    assert text[0] == "run 0002: refused, mnist with mlp-128-128"
    assert "took 1.5 s" in text[1]
    assert text[2] == "why        evaluate: 3 > 2"
    assert "command    python -m pipeline run --seed 8 --train.hidden 64" in text
    shown = "\n".join(text)
    assert "because params limit: 10 -> 2" not in shown
    assert "hidden [64]" in shown
    assert "python 3." in shown


def test_show_names_existing_files(two_runs, lines):
    assert not any(line.startswith(("log", "pictures")) for line in lines("show", "1"))
    (two_runs.store.root / "logs").mkdir()
    (two_runs.store.root / "logs" / "0001.log").touch()
    (two_runs.store.root / "reports" / "0001").mkdir(parents=True)
    text = lines("show", "1")
    assert "log        runs/logs/0001.log" in text
    assert "pictures   runs/reports/0001" in text
