"""Mistakes that only a started run finds: one sentence on the screen and in the log, and a record in the history."""

from __future__ import annotations

import shutil

import pytest

from pipeline.__main__ import main
from tests.mistakes.mistake import listing, wrong

# The run starts, then fails at ingest.
FAILED = [
    wrong(
        "run --dataset ylecun/mnist", "ylecun/mnist", "no such data set", "Hugging Face Hub are not fetched: download"
    ),
    wrong("run --dataset mnistt", "--dataset mnistt", "no such data set", "did you mean mnist?"),
    wrong("run --dataset qqqqzzzz0", "no such data set", "give the name"),
    wrong("run --dataset mnist", "cannot be reached", "--manual-dir FOLDER", code=1),
    wrong("run --dataset tiny --ingest.train-split tain", "--ingest.train-split tain", "train, test"),
    wrong("run --dataset tiny --ingest.test-split train[:10%]", "share", "do not overlap"),
    wrong("run --dataset tiny --ingest.test-split test[:0]", "--ingest.test-split", "has no rows"),
]


@pytest.mark.parametrize("mistake", FAILED, ids=lambda mistake: mistake.typed)
def test_failed_run_prints_one_sentence(mistake, place, made, monkeypatch, capfd):
    monkeypatch.setenv("TFDS_DATA_DIR", str(made.data_dir))
    before = listing(place)
    assert main(mistake.typed.split()) == mistake.exit_code
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err
    assert printed.err == ""
    (stopped,) = [line for line in printed.out.splitlines() if line.startswith("failed at ingest")]
    for part in mistake.parts:
        assert part in stopped
    left = {name for name, content in listing(place).items() if content is not None} - before.keys()
    shutil.rmtree(place / "runs")
    # What was remembered of the data is as good for the next run.
    left = {name for name in left if not name.startswith("runs/fingerprints/")}
    assert left == {"runs/history/0001.json", "runs/logs/0001.log", "runs/reports/0001.html", "runs/index.html"}
