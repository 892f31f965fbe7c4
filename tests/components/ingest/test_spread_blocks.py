"""ingest: blocks made by several processes are the blocks that one makes."""

from __future__ import annotations

from components.beam import BeamOptions
from components.ingest import Params, run
from components.ingest.folders import picture_pool
from components.run_context import RunContext


def ingested(made, out, meanwhile):
    out.mkdir()
    context = RunContext(data_dir=made.data_dir, meanwhile=meanwhile)
    run(Params(dataset="tiny", block_rows=100), context, BeamOptions(), out)
    return {file.name: file.read_bytes() for file in out.iterdir()}


def test_processes_make_the_same_blocks_while_this_one_does_something_else(made, tmp_path, monkeypatch):
    calls = []
    alone = ingested(made, tmp_path / "alone", lambda: calls.append("alone"))
    monkeypatch.setattr(picture_pool, "processes_for", lambda files: 2)
    assert ingested(made, tmp_path / "spread", lambda: calls.append("spread")) == alone
    assert len(alone) > 10
    assert calls == ["spread"]
    assert picture_pool._Pool.processes is None
