"""ingest and analyze on workers of their own: what they need travels, and what they write is the same."""

from __future__ import annotations

import pytest

from components import analyze, ingest
from components.beam import BeamOptions
from components.ingest import decode_slice
from components.sources.source import Wanted
from tests.conftest import ROOT

# Workers in processes of their own, which get everything by pickling, as those of a cluster do.
ELSEWHERE = BeamOptions(("--direct_running_mode=multi_processing", "--direct_num_workers=2"))
WANTED = Wanted(None, None, 250, None, None)


@pytest.fixture
def params(made):
    return ingest.Params(dataset="tiny", data_dir=made.data_dir, block_rows=250)


@pytest.mark.filterwarnings("default")  # Beam leaves the pipes of its workers to the garbage collector.
def test_jobs_elsewhere_write_the_same_bytes(made, params, tmp_path, contents, monkeypatch):
    # Relative paths mean nothing to a worker; the packages are installed there.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for out in ("examples", "statistics"):
        (tmp_path / out).mkdir()
    examples = ingest.run(params, ELSEWHERE, (tmp_path / "examples").relative_to(tmp_path))
    analyze.run(examples, ELSEWHERE, (tmp_path / "statistics").relative_to(tmp_path))
    assert contents(tmp_path / "examples") == contents(made.examples.path)
    assert contents(tmp_path / "statistics") == contents(made.statistics.path)


def test_slice_that_is_decoded_twice_leaves_what_decoding_it_once_left(params, tmp_path, contents):
    first, *_ = params.source.open(WANTED, tmp_path).slices
    block = decode_slice(first, tmp_path)
    once = contents(tmp_path)
    assert decode_slice(first, tmp_path) == block
    assert contents(tmp_path) == once


def test_block_that_is_counted_twice_leaves_what_counting_it_once_left(made, tmp_path, contents):
    placed = analyze.place_blocks(made.examples)[1]
    once = analyze.count_block(placed, made.examples, tmp_path, 3)
    left = contents(tmp_path)
    again = analyze.count_block(placed, made.examples, tmp_path, 3)
    assert contents(tmp_path) == left
    assert (once[0], once[1].rows, once[1].odd) == (again[0], again[1].rows, again[1].odd)


def test_nothing_but_the_artifact_is_left(made):
    assert sorted(file.name for file in made.examples.path.iterdir() if file.suffix != ".npy") == ["examples.json"]
    names = sorted(file.name for file in made.statistics.path.iterdir())
    assert names == ["statistics.json", "test.class_sums.npy", "train.class_sums.npy"]
