"""benchmarks.runs: processes are measured from outside, and each figure is printed with its limit."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import runs
from benchmarks.runs import PEERS, cost
from serving.errors import BeamlineError
from tests.conftest import ROOT


def test_costs_are_those_of_the_process():
    used = cost("-c", "kept = bytearray(2_000_000_000); print(len(kept), kept.count(1))")
    assert used.printed == "2000000000 0\n"
    assert used.cpu_seconds > 0
    assert used.wall_seconds > 0
    # Linux counts the memory of the process that starts another one for that too, so no peak is below it.
    assert 2_000_000_000 < used.peak_bytes < 10_000_000_000


def test_process_that_fails_is_one_sentence():
    with pytest.raises(BeamlineError, match=r"^-c .* ended with 3: half\n$"):
        cost("-c", "print('half'); raise SystemExit(3)")


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", ["mlp", "cnn"])
def test_bare_script_prints_the_seconds_of_its_training(tmp_path, recipe):
    random = np.random.default_rng(1)
    splits = {f"x_{name}": random.integers(0, 256, (130, 28, 28, 1), np.uint8) for name in ("train", "test")}
    labels = {f"y_{name}": random.integers(0, 10, 130) for name in ("train", "test")}
    np.savez(tmp_path / "arrays.npz", **splits, **labels)
    done = cost(PEERS / "bare_keras.py", tmp_path / "arrays.npz", recipe, 1)
    assert 0 < float(done.printed.splitlines()[-1]) < done.wall_seconds


@pytest.mark.exhaustive
def test_training_prints_its_seconds(made):
    done = cost("-m", "benchmarks.training", made.examples.path, made.transform.path, "mlp-128-128", 1)
    assert 0 < float(done.printed.splitlines()[-1]) < done.wall_seconds


@pytest.mark.exhaustive
def test_ratio_is_printed_with_its_limit(mnist_dir, capsys):
    assert runs.main(["--manual-dir", str(mnist_dir), "--rounds", "1", "--only", "unchanged"]) == 0
    pattern = r"nothing to do / import numpy: [\d.]+ \([\d.]+ to [\d.]+\); limit 3\.00\n"
    assert re.fullmatch(pattern, capsys.readouterr().out)


def test_default_is_as_many_pairs_as_the_page_says():
    rounds = runs._parser().parse_args([]).rounds
    assert f"{rounds} pairs of processes" in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
