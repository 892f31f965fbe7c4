"""The command `promote`: a person lets the model of a run serve, and says why."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

from components import promote as promotion
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.verification import Verification
from components.champion import Compare
from pipeline.folders import parser_of
from pipeline.history import History, Record
from pipeline.kept import Kind, kept, lack
from pipeline.report.pages import renew_index
from pipeline.served import add_reason, require_reason, tell_tracker
from pipeline.store import Store
from serving.arguments import Arguments
from serving.errors import RefusedError
from serving.registry import Registry


def promote(arguments: list[str]) -> int:
    """Promotes the model of a run, also one that was rolled back from.

    Returns:
        0, also where it serves already.

    Raises:
        InputError: there is no such run, or its artifacts are gone.
        RefusedError: the run was refused by a gate, or the champion is better.
        BundleError: an artifact is not as it was committed.
    """
    given = _parser().parse_args(arguments)
    reason = require_reason(given.reason)
    store = Store(given.runs)
    with store.shared(), tempfile.TemporaryDirectory() as out:
        record = History(given.runs).read(given.run)
        before = Registry(given.models).history(record.config["model"]).last
        asked = record.config["promote"]
        made = promotion.run(
            _taken(record, store, "export", Bundle),
            _taken(record, store, "evaluate", Evaluation),
            _taken(record, store, "verify", Verification),
            _taken(record, store, "ingest", Examples),
            promotion.Params(
                model=record.config["model"],
                models=given.models,
                run=record.run,
                compare=given.compare or asked["compare"],
                max_drop_fraction=asked["max_drop_fraction"] if given.drop is None else given.drop,
                reason=reason,
                restore=True,
            ),
            Path(out),
        )
    if not made.passed:
        raise RefusedError(f"{made.summary()}; what serves is unchanged")
    if before == Registry(given.models).history(made.model).last:
        print(f"{made.model} version {made.version} serves already: nothing moved, and the reason is not kept")
    else:
        print(made.summary())
    renew_index(given.runs)
    tell_tracker(given.models, made.model)
    return 0


def _parser() -> Arguments:
    parser = parser_of("promote", "Makes the model of a run serve, also one that was rolled back from.")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    add_reason(parser)
    parser.add_argument(
        "--promote.compare",
        dest="compare",
        choices=get_args(Compare),
        help="what the champion decides (default: as the run was told)",
    )
    parser.add_argument(
        "--promote.max-drop-fraction",
        dest="drop",
        type=float,
        metavar="F",
        help="how far the accuracy may be under the best ever promoted (default: as the run was told)",
    )
    return parser


def _taken(record: Record, store: Store, step: str, kind: type[Kind]) -> Kind:
    if (why := lack(record, step)) is not None:
        raise RefusedError(f"run {record.run} has nothing to promote, {why}")
    return kept(record, store, step, kind)
