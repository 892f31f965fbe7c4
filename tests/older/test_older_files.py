"""Files of an earlier release: its runs are shown, its models are scored with, and rolled back.

`files` is what two runs on `digits` left with the code before the packages were divided into rooms.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.__main__ import main
from serving import batch_score

FILES = Path(__file__).with_name("files")


@pytest.fixture
def older(tmp_path, monkeypatch):
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_runs_lists_them(older, capsys):
    assert main(["runs"]) == 0
    _, newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.startswith("0002  ")
    assert oldest.startswith("0001  ")
    assert "promoted" in newest
    assert "accuracy 0.8340 (417 of 500)" in newest


def test_show_has_steps_reasons_and_configuration(older, capsys):
    assert main(["show", "2"]) == 0
    text = capsys.readouterr().out
    assert "run 0002: promoted, digits with linear" in text
    assert "because params seed: 1 -> 2 since run 0001" in text
    assert "digits version 2 serves now" in text
    assert "hidden []" in text


def test_diff_names_the_seed(older, capsys):
    assert main(["diff", "1", "2"]) == 0
    assert "train seed: 1 -> 2" in capsys.readouterr().out


def test_history_and_rollback(older, capsys):
    assert main(["history", "digits"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["rollback", "digits", "--reason", "the first was better"]) == 0
    assert "digits version 1 serves now instead of version 2" in capsys.readouterr().out
    assert main(["history", "digits"]) == 0
    assert "user@host" in capsys.readouterr().out


def test_batch_score_answers_as_the_release_did(older):
    sample = FILES / "models" / "digits" / "2" / "sample"
    shutil.copy(sample / "images.npy", older / "images.npy")
    assert batch_score.main(["images.npy", "--probabilities"]) == 0
    with (older / "images.predictions.csv").open(newline="") as file:
        rows = [[float(row[f"p{label}"]) for label in range(10)] for row in csv.DictReader(file)]
    np.testing.assert_allclose(rows, np.load(sample / "probabilities.npy"), atol=1e-6)
