"""The command `doctor`: looks at everything that a run needs, and says of each that it is fine or what to do."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from components.ingest import Params
from components.sources.builders import EMBEDDED
from components.sources.named import parse
from components.sources.source import Source
from pipeline.folders import parser_of
from pipeline.health import Finding, history_findings, registry_findings, store_findings
from pipeline.history import History
from pipeline.machine import memory_bytes, processors
from pipeline.options import DATASET
from pipeline.places import existing, require_writable
from pipeline.store import Store
from serving.arguments import Arguments
from serving.errors import BeamlineError
from serving.registry import Registry

# The pipeline extra of setup.py, with the lowest version that works of each.
REQUIRED = {
    "apache-beam": "2.77",
    "importlib_resources": "6",
    "jinja2": "3.1",
    "matplotlib": "3.10",
    "onnx": "1.19",
    "optuna": "4.5",
    "pillow": "11",
    "rich": "14",
    "tensorboard": "2.20",
    "tensorflow": "2.21",
    "tensorflow-datasets": "4.9.10",
    "tf2onnx": "1.17",
    "tyro": "1",
}
# What a run on MNIST takes: its peak while it trains, and what it leaves behind, each with room to spare.
RUN_MEMORY_BYTES = 2 * 10**9
RUN_SPACE_BYTES = 500 * 10**6


def doctor(arguments: list[str]) -> int:
    """Prints one line a finding. Returns: 0, or 1 where something is to be done."""
    given = _parser().parse_args(arguments)
    code = 0
    for finding in _findings(given):
        print(f"{finding.state:<5} {finding.subject:<12} {finding.words}", flush=True)
        code = max(code, int(finding.state == "do"))
    return code


def _parser() -> Arguments:
    parser = parser_of("doctor", "Looks at all that a run needs: each line is ok, or what to do.")
    parser.add_argument("--dataset", metavar="NAME", help=f"a data set that must be at hand (default: {DATASET})")
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="where TensorFlow Datasets keeps prepared sets")
    parser.add_argument("--manual-dir", type=Path, metavar="FOLDER", help="the data set's original files")
    return parser


def _findings(given: argparse.Namespace) -> Iterator[Finding]:
    yield _python()
    yield from _packages()
    yield from _machine()
    dataset, path = parse(given.dataset or DATASET)
    source = Params(dataset, path, data_dir=given.data_dir, manual_dir=given.manual_dir).source
    yield _folder("--runs", given.runs)
    yield _folder("--models", given.models)
    if source.written is not None:
        yield _folder("--data-dir", source.written)
    looks = {
        "store": store_findings(Store(given.runs)),
        "history": history_findings(History(given.runs)),
        "registry": registry_findings(Registry(given.models)),
    }
    for subject, found in looks.items():
        try:
            yield from found
        except OSError as error:
            yield Finding("do", subject, f"{error.filename}: {error.strerror}: give this process the right to read it")
    yield _data(dataset, source, named=given.dataset is not None)


def _python() -> Finding:
    here = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("do", "python", f"{here} at {sys.executable}: take Python 3.11 to 3.13")
    return Finding("ok", "python", f"{here} at {sys.executable}")


def _packages() -> Iterator[Finding]:
    found: dict[str, str] = {}
    for name, lowest in REQUIRED.items():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            why = ", which tensorflow-datasets imports and does not declare" if name == "importlib_resources" else ""
            words = f"{name} is not installed{why}: pip install '.[pipeline]' in Beamline's folder"
            yield Finding("do", "packages", words)
            continue
        if _numbers(found[name]) < _numbers(lowest):
            words = f"{name} {found[name]} is older than {lowest}: "
            yield Finding("do", "packages", f"{words}pip install --upgrade '.[pipeline]' in Beamline's folder")
    yield Finding("ok", "packages", ", ".join(f"{name} {number}" for name, number in found.items()) or "none")
    lock = Path("requirements.lock")
    if lock.is_file():
        text = lock.read_text(encoding="utf-8", errors="replace")
        pinned = dict(re.findall(r"^([\w.-]+)==([\w.+]+)", text, re.MULTILINE))
        other = [f"{name} {number}" for name, number in found.items() if pinned.get(name, number) != number]
        if other:
            yield Finding("note", "packages", f"not as in {lock}: {', '.join(other)}; make setup installs what is")


def _numbers(text: str) -> tuple[int, ...]:
    """A version's numbers, for comparing: 4.9.10 comes after 4.9.9."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _machine() -> Iterator[Finding]:
    here, usable = processors()
    yield Finding("ok", "processors", f"{usable:g} of {here} may be used")
    memory, wanted = memory_bytes(), f"a run takes up to {_gb(RUN_MEMORY_BYTES)}"
    if memory is None:
        yield Finding("note", "memory", f"this system does not say how much is free; {wanted}")
    elif memory < RUN_MEMORY_BYTES:
        yield Finding("do", "memory", f"{_gb(memory)} free, {wanted}: make room")
    else:
        yield Finding("ok", "memory", f"{_gb(memory)} free; {wanted}")


def _folder(flag: str, folder: Path) -> Finding:
    try:
        require_writable(flag, folder)
        free = shutil.disk_usage(existing(folder)).free
    except BeamlineError as error:
        return Finding("do", "folder", str(error))
    if free < RUN_SPACE_BYTES:
        wanted = f"a run wants {_gb(RUN_SPACE_BYTES)}: make room, or give another place"
        return Finding("do", "folder", f"{flag} {folder}: {_gb(free)} free, {wanted}")
    return Finding("ok", "folder", f"{flag} {folder} can be written, {_gb(free)} free")


def _data(dataset: str, source: Source, named: bool) -> Finding:
    try:
        lack = source.lack()
        source.fingerprint()
    except BeamlineError as error:
        return Finding("do", "data", str(error))
    if lack is None:
        return Finding("ok", "data", f"{dataset} {source.origin}")
    words = f"{lack.tried}: {lack.remedy}"
    if named:
        return Finding("do", "data", words)
    return Finding("note", "data", f"{words}\n{'':18} {EMBEDDED} is there without it")


def _gb(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
