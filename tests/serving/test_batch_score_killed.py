"""batch_score: a killed run is resumed from its journal, to the bytes of an uninterrupted run."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys

import numpy as np
import pytest

from serving.batch.journal import read_journal
from tests.conftest import ROOT
from tests.serving.tiny_bundle import SHAPE, publish, random_images

BLOCKS = 20
ROWS = BLOCKS * 16_384 - 1000


@pytest.fixture
def command(registry, sealed, tmp_path):
    """Starts the scorer on many images."""
    publish(registry, sealed, "tiny")
    np.save(tmp_path / "images.npy", np.resize(random_images(10_007), (ROWS, *SHAPE)))
    np.save(tmp_path / "labels.npy", np.arange(ROWS) % 4)

    def start(out, *flags):
        arguments = [tmp_path / "images.npy", "--models", registry.root, "--out", out, "--probabilities", *flags]
        return subprocess.Popen(
            [sys.executable, "-m", "serving.batch_score", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )

    return start


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines(journal):
    try:
        return journal.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def kill_after(scorer, journal, blocks):
    """Kills the scorer when the journal has this number of blocks, unless it ends first. Returns: its images."""
    while lines(journal) < blocks + 1 and scorer.poll() is None:
        pass
    scorer.kill()
    scorer.wait()
    _, entries = read_journal(journal.read_bytes()) if journal.exists() else ({}, [])
    return entries[-1].stop if entries else 0


@pytest.mark.parametrize("suffix", [".csv", ".npy"])
@pytest.mark.parametrize("blocks", [BLOCKS // 3])
def test_killed_run_is_resumed_to_the_same_bytes(command, tmp_path, suffix, blocks):
    require_resumed(command, tmp_path, suffix, [blocks])


@pytest.mark.exhaustive
def test_fifty_kills_spread_over_the_blocks(command, tmp_path):
    kills = random.Random(7)
    spread = [min(BLOCKS - 1, int((number + kills.random()) * BLOCKS / 50)) for number in range(50)]
    require_resumed(command, tmp_path, ".csv", spread)


@pytest.mark.exhaustive
def test_run_that_is_killed_repeatedly_finishes(command, tmp_path):
    out, journal = tmp_path / "out.parquet", tmp_path / ".out.parquet.journal"
    whole = tmp_path / "whole.parquet"
    assert command(whole).wait() == 0
    reached = 0
    for blocks in range(3, BLOCKS, 3):
        kept = kill_after(command(out, "--resume"), journal, blocks)
        assert kept >= reached
        reached = kept
    assert command(out, "--resume").wait() == 0
    assert sha256(out) == sha256(whole)


def require_resumed(command, folder, suffix, kills):
    flags = ("--labels", folder / "labels.npy")
    whole, out = folder / f"whole{suffix}", folder / f"out{suffix}"
    journal = folder / f".out{suffix}.journal"
    assert command(whole, *flags).wait() == 0
    uninterrupted = json.loads((folder / f"whole{suffix}.json").read_text())
    killed = 0
    for blocks in kills:
        kept = kill_after(command(out, *flags), journal, blocks)
        ended = not kept
        assert command(out, *flags, "--resume").wait() == 0
        assert sha256(out) == sha256(whole)
        sidecar = json.loads((folder / f"out{suffix}.json").read_text())
        # Exactly the blocks in the journal are kept; the others are scored again.
        assert sidecar["resumed_rows"] == kept
        for counted in ("accuracy", "drift", "rows", "output_sha256"):
            assert sidecar[counted] == uninterrupted[counted]
        killed += not ended
        out.unlink()
        (folder / f"out{suffix}.json").unlink()
    assert killed >= 0.9 * len(kills)
