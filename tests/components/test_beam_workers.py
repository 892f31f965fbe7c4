"""beam: ingest and analyze in separate worker processes write the same bytes as in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.analyze import analyze
from components.analyze.counting import count_block
from components.analyze.search import place_blocks
from components.beam import BeamOptions
from components.ingest import ingest
from components.ingest.decode import decode_block
from components.ingest.ingest import source_of
from components.ingest.read_options import ReadOptions
from components.run_context import RunContext

# Separate worker processes receive everything by pickle, as the workers of a cluster do.
SEPARATE = BeamOptions(("--direct_running_mode=multi_processing", "--direct_num_workers=2"))
OPTIONS = ReadOptions(block_rows=250)


@pytest.fixture
def params(made):
    return ingest.Params(dataset="tiny", block_rows=250)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("default")  # Beam leaves the pipes of its workers to the garbage collector.
def test_separate_workers_write_the_same_bytes(made, params, contents, foreign_folder):
    # A worker has another working folder, so relative paths are not valid there. It ignores the packages of this one.
    for out in ("examples", "statistics"):
        Path(out).mkdir()
    examples = ingest.run(params, RunContext(data_dir=made.data_dir), SEPARATE, Path("examples"))
    analyze.run(examples, SEPARATE, Path("statistics"))
    assert contents(Path("examples")) == contents(made.examples.path)
    assert contents(Path("statistics")) == contents(made.statistics.path)


def test_decoding_a_block_again_writes_the_same_files(made, params, tmp_path, contents):
    first, *_ = source_of(params, RunContext(data_dir=made.data_dir)).plan(OPTIONS, tmp_path).readers
    block = decode_block(first, tmp_path)
    once = contents(tmp_path)
    assert decode_block(first, tmp_path) == block
    assert contents(tmp_path) == once


def test_counting_a_block_again_writes_the_same_files(made, tmp_path, contents):
    placed = place_blocks(made.examples)[1]
    once = count_block(placed, made.examples, tmp_path, 3)
    left = contents(tmp_path)
    again = count_block(placed, made.examples, tmp_path, 3)
    assert contents(tmp_path) == left
    assert (once.placed, once.counts.statistics) == (again.placed, again.counts.statistics)
    assert once.counts.statistics.invalid == again.counts.statistics.invalid


def test_only_the_artifact_is_left(made):
    assert sorted(file.name for file in made.examples.path.iterdir() if file.suffix != ".npy") == ["examples.json"]
    names = sorted(file.name for file in made.statistics.path.iterdir())
    assert names == ["statistics.json", "test.class_sums.npy", "train.class_sums.npy"]
