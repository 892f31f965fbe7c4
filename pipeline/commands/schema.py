"""schema: write a run's schema, which later data can be checked against."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.examples import Examples
from components.artifacts.schema import SCHEMA, Schema
from components.artifacts.statistics import Statistics
from pipeline.commands.arguments import parser_of
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import RunHistory
from serving.arguments.parser import Arguments
from serving.errors import InputError
from serving.files import canonical_json, replace_text
from serving.out_path import require_out_path, write_error
from serving.process.program import PIPELINE


def schema(arguments: list[str]) -> int:
    """Writes a run's schema, even if the run was refused. Returns: 0.

    Raises:
        InputError: there is no such run, it has no statistics of the training split, or the file cannot be written.
        BeamlineError: the disk fails.
        BundleError: the output of a step was changed after it was stored.
    """
    given = _parser().parse_args(arguments)
    store = Store(given.runs)
    with store.shared():
        record = RunHistory(given.runs).read(given.run)
        artifacts = RunArtifacts(record, store)
        if (reason := artifacts.missing_reason("analyze")) is not None:
            raise InputError(f"no schema can be made from run {record.run}: {reason}: give another run")
        examples = artifacts.load("ingest", Examples)
        statistics = artifacts.load("analyze", Statistics)
    if "train" not in statistics.splits:
        raise InputError(
            f"no schema can be made from run {record.run}: its training split has no row: give another run"
        )
    _write(Schema.of(examples, statistics.splits["train"]), given.out, given.overwrite)
    print(f"{examples.summary()} -> {given.out}")
    print(f"check new data against it: {PIPELINE} run --validate.schema {given.out}")
    return 0


def _parser() -> Arguments:
    summary = "Writes the schema of a run's training data, for --validate.schema of later runs."
    parser = parser_of("schema", summary, "runs")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    out = "the file to write (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path(SCHEMA), metavar="FILE", help=out)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    return parser


def _write(schema: Schema, out: Path, overwrite: bool) -> None:
    """Writes the file in one step; an equal file may exist. Raises: InputError, BeamlineError: see `write_error`."""
    text = canonical_json(schema.to_json())
    require_out_path(out, lambda: out.read_bytes() == text.encode(), expected="this run's schema", overwrite=overwrite)
    try:
        replace_text(out, text)
    except OSError as error:
        raise write_error(out, error) from error
