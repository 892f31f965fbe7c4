"""The command `schema`: what a run's training data are like, as a file that later data are held against."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.examples import Examples
from components.artifacts.reference import SCHEMA, Reference
from components.artifacts.statistics import Statistics
from pipeline.folders import parser_of
from pipeline.history import History
from pipeline.kept import kept, lack
from pipeline.store import Store
from serving.arguments import Arguments
from serving.errors import InputError
from serving.files import canonical_json, replace_text


def schema(arguments: list[str]) -> int:
    """Writes a run's schema, also that of a run that was refused.

    Returns:
        0.

    Raises:
        InputError: there is no such run, it counted nothing, or the file cannot be written.
        BundleError: an artifact is not as it was committed.
    """
    given = _parser().parse_args(arguments)
    store = Store(given.runs)
    with store.shared():
        record = History(given.runs).read(given.run)
        if (why := lack(record, "analyze")) is not None:
            raise InputError(f"run {record.run} has no schema, {why}: give another run")
        examples = kept(record, store, "ingest", Examples)
        statistics = kept(record, store, "analyze", Statistics)
    if "train" not in statistics.splits:
        raise InputError(f"run {record.run} has no schema, its training split has no row: give another run")
    _write(Reference.of(examples, statistics.splits["train"]), given.out, given.overwrite)
    print(f"{examples.summary()} -> {given.out}")
    print(f"hold new data against it with: python -m pipeline run --validate.schema {given.out}")
    return 0


def _parser() -> Arguments:
    words = "Writes what a run's training data are like, for --validate.schema of later runs."
    parser = parser_of("schema", words, "runs")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    parser.add_argument(
        "--out", type=Path, default=Path(SCHEMA), metavar="FILE", help="what to write (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace another file that stands there")
    return parser


def _write(reference: Reference, out: Path, overwrite: bool) -> None:
    """Writes the file, whole; the very same one may stand there. Raises: InputError."""
    text = canonical_json(reference.to_json())
    if out.exists() and not out.is_file():
        raise InputError(f"--out {out} is no plain file: give a file's name")
    try:
        if not overwrite and (out.is_symlink() or out.exists()) and out.read_bytes() != text.encode():
            raise InputError(f"--out {out} exists and is another file: give another place, or --overwrite")
        replace_text(out, text)
    except OSError as error:
        raise InputError(f"--out {out} cannot be written: {error.strerror}: give another place") from error
