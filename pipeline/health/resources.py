"""Machine, folders and data set -> findings: processors, memory, disk space, and whether a run can read the data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from components.ingest.source import Source
from components.ingest.tfds.builders import EMBEDDED
from pipeline.health.finding import Finding
from pipeline.settings.feasibility import require_writable
from serving.errors import BeamlineError
from serving.faults.wording import existing, failure_sentence
from serving.machine import available_memory_bytes, available_processors

# Needed by a run on MNIST, with a margin: the peak during the training, and the size of its artifacts.
RUN_MEMORY_BYTES = 2 * 10**9
RUN_SPACE_BYTES = 500 * 10**6


def machine_findings() -> Iterator[Finding]:
    """Checks the processors and the memory."""
    yield Finding("ok", "processors", f"{available_processors():g} of {os.cpu_count() or 1} can be used")
    memory, needed = available_memory_bytes(), f"a run needs up to {_gb(RUN_MEMORY_BYTES)}"
    if memory is None:
        yield Finding("note", "memory", f"this system does not report how much is free; {needed}")
    elif memory < RUN_MEMORY_BYTES:
        yield Finding("fix", "memory", f"{_gb(memory)} free, {needed}: close other programs")
    else:
        yield Finding("ok", "memory", f"{_gb(memory)} free; {needed}")


def folder_finding(flag: str, folder: Path) -> Finding:
    """Checks that the folder of a flag, which may not exist yet, can be written and has space for a run."""
    try:
        require_writable(flag, folder)
        free = shutil.disk_usage(existing(folder)).free
    except BeamlineError as error:
        return Finding("fix", "folder", str(error))
    except OSError as error:
        return Finding("fix", "folder", failure_sentence(error, {flag: folder}) or str(error))
    if free < RUN_SPACE_BYTES:
        needed = f"a run needs {_gb(RUN_SPACE_BYTES)}: delete files, or give another path"
        return Finding("fix", "folder", f"{flag} {folder}: {_gb(free)} free, {needed}")
    return Finding("ok", "folder", f"{flag} {folder} can be written, {_gb(free)} free")


def dataset_finding(name: str, source: Source, required: bool) -> Finding:
    """Checks a data set; it is `required` if the user named it, otherwise a run can use another one."""
    try:
        missing = source.missing_reason()
        source.fingerprint()
    except BeamlineError as error:
        return Finding("fix", "data", str(error))
    if missing is None:
        return Finding("ok", "data", f"{name} {source.availability}")
    message = f"{missing.cause}: {missing.remedy}"
    if required:
        return Finding("fix", "data", message)
    return Finding("note", "data", f"{message}\n{'':18} {EMBEDDED} is available without it")


def _gb(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
