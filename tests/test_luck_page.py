"""docs/luck.md: what it says of the gate follows from luck.json, and the gate keeps what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from components.significance import Discordance
from serving.codec import read
from tests.conftest import ROOT
from tools import luck, luck_page

FILE = ROOT / "docs" / "luck.json"
MEASURED = read(luck_page.Measured, FILE)


def test_models_are_many_and_the_counts_agree_with_the_accuracies():
    assert len(set(MEASURED.seeds)) == len(MEASURED.accuracies) == len(MEASURED.gained) == 20
    for one, (row, accuracy) in enumerate(zip(MEASURED.gained, MEASURED.accuracies, strict=True)):
        assert row[one] == 0
        for other, gained in enumerate(row):
            difference = (gained - MEASURED.gained[other][one]) / MEASURED.rows
            assert difference == pytest.approx(accuracy - MEASURED.accuracies[other])


def test_equally_good_successors_pass():
    assert luck_page.refused_share_of_equals(MEASURED) <= 0.05


def test_the_test_alone_would_refuse_many_of_them():
    """McNemar's test, one-sided, without a margin: it is right about the two models."""
    refused, offered, generator = 0, 0, np.random.default_rng(0)
    for _ in range(100):
        champion, *candidates = generator.permutation(20).tolist()
        for candidate in candidates:
            counts = Discordance(MEASURED.gained[champion][candidate], MEASURED.gained[candidate][champion])
            offered += 1
            if counts.p_worse < 0.05:
                refused += 1
            else:
                champion = candidate
    assert refused / offered > 0.3


def test_worse_models_are_refused():
    assert luck_page.refused_share(MEASURED, 0.01, 10_000, 0.0) >= 0.95
    assert luck_page.refused_share(MEASURED, 0.02, 10_000, 0.0) >= 0.999
    assert all(luck_page.is_refused_by_margin(gained, lost, MEASURED.rows) for gained, lost in MEASURED.worse)


def test_comparisons_of_five_seeds_have_few_false_alarms_and_find_a_point():
    found = MEASURED.found["5"]
    assert found[0] <= 0.05
    assert found[luck_page.DIFFERENCES.index(0.01)] >= 0.95


@pytest.mark.exhaustive
def test_page_follows_from_the_values(tmp_path):
    assert luck.main([str(FILE), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "luck.md").read_text(encoding="utf-8") == (ROOT / "docs/luck.md").read_text(encoding="utf-8")
    assert (tmp_path / "luck.json").read_bytes() == FILE.read_bytes()


def test_folder_without_the_runs_is_refused(tmp_path, capsys):
    assert luck.main([str(tmp_path)]) == 2
    assert "has 0 seeds of mlp-128-128 on mnist: give 20, and a run of linear" in capsys.readouterr().err
