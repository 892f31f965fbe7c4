"""doctor: check everything that a run needs, and show what to do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from components.ingest.dataset_reference import parse_reference
from components.ingest.ingest import Params, source_of
from components.run_context import RunContext
from pipeline.commands.arguments import parser_of
from pipeline.engine.store import Store
from pipeline.health.environment import environment_findings, stream_findings
from pipeline.health.file_system import IN_MODELS, IN_RUNS, file_system_findings
from pipeline.health.finding import Finding
from pipeline.health.installation import package_findings, python_finding, scorer_findings
from pipeline.health.promoted_models import registry_findings
from pipeline.health.resources import dataset_finding, folder_finding, machine_findings
from pipeline.health.stored_runs import history_findings, store_findings
from pipeline.health.tracking_servers import tracking_findings
from pipeline.records.run_history import RunHistory
from pipeline.settings.options import DATASET
from serving.arguments.parser import Arguments
from serving.errors import InputError
from serving.registry.registry import Registry


def doctor(arguments: list[str]) -> int:
    """Prints one line for each finding. Returns: 0, or 1 if the user must act."""
    given = _parser().parse_args(arguments)
    code = 0
    for finding in _findings(given):
        print(f"{finding.state:<5} {finding.subject:<12} {finding.message}", flush=True)
        code = max(code, int(finding.state == "fix"))
    return code


def _parser() -> Arguments:
    states = "Each line is ok, note (information), or fix (you must act)."
    parser = parser_of("doctor", f"Checks everything that a run needs. {states}")
    parser.add_argument("--dataset", metavar="NAME", help=f"a data set that must be available (default: {DATASET})")
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="where TensorFlow Datasets keeps prepared sets")
    parser.add_argument("--manual-dir", type=Path, metavar="FOLDER", help="the data set's original files")
    return parser


def _findings(given: argparse.Namespace) -> Iterator[Finding]:
    yield python_finding()
    yield from package_findings()
    yield from scorer_findings()
    yield from machine_findings()
    yield from environment_findings()
    yield from stream_findings()
    dataset, path = parse_reference(given.dataset or DATASET)
    context = RunContext(source=path, data_dir=given.data_dir, manual_dir=given.manual_dir)
    source = source_of(Params(dataset=dataset), context)
    for flag, folder, attempts in (("--runs", given.runs, IN_RUNS), ("--models", given.models, IN_MODELS)):
        yield (writable := folder_finding(flag, folder))
        if writable.state != "fix":
            yield from file_system_findings(flag, folder, attempts)
    # `dataset_finding` names a folder that is not known.
    with suppress(InputError):
        if source.prepare_folder is not None:
            yield folder_finding("--data-dir", source.prepare_folder)
    checks = {
        "store": store_findings(Store(given.runs)),
        "history": history_findings(RunHistory(given.runs)),
        "registry": registry_findings(Registry(given.models)),
        "tracking": tracking_findings(given.runs, Registry(given.models)),
    }
    for subject, findings in checks.items():
        try:
            yield from findings
        except OSError as error:
            message = f"{error.filename}: {error.strerror}: give this process the permission to read it"
            yield Finding("fix", subject, message)
        except InputError as error:
            yield Finding("fix", subject, str(error))
    yield dataset_finding(dataset, source, required=given.dataset is not None)
