"""promote: promote the model of a run, even if it was rolled back before."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

from components import promote as promotion
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.verification import Verification
from components.promote.margin import Auto, Compare
from components.run_context import RunContext
from pipeline.commands.arguments import add_reason, parser_of, require_reason
from pipeline.engine.machine_failure import explain_failures
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import Kind, RunArtifacts
from pipeline.records.run_history import RunHistory
from pipeline.report.pages import renew_index
from pipeline.settings.seed_margins import known_margin
from pipeline.tracking.track import update_alias_or_warn
from serving.arguments.parser import Arguments
from serving.arguments.ranges import Range
from serving.errors import RefusedError
from serving.registry.registry import Registry


def promote(arguments: list[str]) -> int:
    """Promotes the model of a run, even if it was rolled back before. Returns: 0, even if it is served already.

    Raises:
        InputError: there is no such run, or its artifacts were deleted.
        RefusedError: the run was refused by a gate, or the champion is better.
        BundleError: the output of a step was changed after it was stored.
    """
    given = _parser().parse_args(arguments)
    reason = require_reason(given.reason)
    store = Store(given.runs)
    record = RunHistory(given.runs).read(given.run)
    places = {"--runs": given.runs, "--models": given.models}
    with (
        explain_failures(places, record.config["model"]),
        store.shared(),
        tempfile.TemporaryDirectory() as out,
    ):
        artifacts = RunArtifacts(record, store)
        before = Registry(given.models).promotion_events(record.config["model"]).last
        # Runs of earlier releases have no margin.
        configured = {"margin": "auto", **record.config["promote"]}
        made = promotion.run(
            _load(artifacts, "export", Bundle),
            _load(artifacts, "evaluate", Evaluation),
            _load(artifacts, "verify", Verification),
            _load(artifacts, "ingest", Examples),
            promotion.Params(
                compare=given.compare or configured["compare"],
                margin=configured["margin"] if given.margin is None else given.margin,
                max_drop_fraction=configured["max_drop_fraction"] if given.drop is None else given.drop,
            ),
            RunContext(
                run=record.run,
                model=record.config["model"],
                models=given.models,
                reason=reason,
                manual=True,
                margin=known_margin(given.runs, record.config),
            ),
            Path(out),
        )
    if not made.passed:
        raise RefusedError(f"{made.summary()}; the served version is unchanged")
    if before == Registry(given.models).promotion_events(made.model).last:
        print(f"{made.model} version {made.version} serves already: nothing changed, and the reason is not recorded")
    else:
        print(made.summary())
    renew_index(given.runs)
    update_alias_or_warn(given.models, made.model)
    return 0


def _parser() -> Arguments:
    parser = parser_of("promote", "Promotes the model of a run, even if it was rolled back before.")
    parser.add_argument("run", help="the run's number, as `runs` lists it")
    add_reason(parser)
    compare = "how the candidate must compare with the champion (default: the run's setting)"
    parser.add_argument("--promote.compare", dest="compare", choices=get_args(Compare), help=compare)
    margin = "loss of accuracy that does not matter, a fraction or auto (default: the run's setting)"
    parser.add_argument("--promote.margin", dest="margin", type=fraction, metavar="F", help=margin)
    drop = (
        "largest drop of the accuracy below the best promoted version, e.g. 0.01 for one percentage point, or auto "
        "(default: the run's setting)"
    )
    parser.add_argument("--promote.max-drop-fraction", dest="drop", type=fraction, metavar="F", help=drop)
    return parser


def fraction(text: str) -> float | Auto:
    """The value of a flag. Raises: argparse.ArgumentTypeError: it is neither a fraction nor `auto`."""
    return "auto" if text == "auto" else Range(0, 1).number(text)


def _load(artifacts: RunArtifacts, step: str, kind: type[Kind]) -> Kind:
    if (reason := artifacts.missing_reason(step)) is not None:
        raise RefusedError(f"run {artifacts.record.run} has nothing to promote: {reason}")
    return artifacts.load(step, kind)
