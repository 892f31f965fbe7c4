"""benchmarks.nightly: every night is a run, clean comes between, and contents and times are printed."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from benchmarks import nightly
from benchmarks.nightly import contents, grow


def test_each_night_runs_once_and_cleans_come_between():
    done, shown = [], []
    grow(lambda: done.append("run"), lambda: done.append("clean"), 3, range(1, 23), shown.append)
    assert shown == [1, 20, 22]
    assert done.count("run") == 22
    assert [place for place, what in enumerate(done) if what == "clean"] == [3, 7, 11, 15, 19, 23, 27]


def test_contents_count_a_file_with_two_names_once_as_bytes(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(bytes(1000))
    (tmp_path / "b").hardlink_to(tmp_path / "folder" / "a")
    (tmp_path / "c").write_bytes(bytes(500))
    assert contents(tmp_path) == "3 files, 1,500 bytes"


def test_failure_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert nightly.main(["--nights", "1"]) == 1
    assert capsys.readouterr().err.startswith("benchmarks.nightly: run exited with 1: ")


@pytest.mark.exhaustive
def test_contents_and_times_are_printed(capsys):
    assert nightly.main(["--nights", "2", "--keep", "1", "--every", "1"]) == 0
    printed = capsys.readouterr().out
    for night in (1, 2):
        assert re.search(rf"^night {night}: \d+ files, [\d,]+ bytes$", printed, re.MULTILINE)
    assert re.search(r"^last 8 runs: [\d.]+ s \([\d.]+ to [\d.]+\)$", printed, re.MULTILINE)
    assert re.search(r"^last runs / first runs: [\d.]+ \([\d.]+ to [\d.]+\)$", printed, re.MULTILINE)
