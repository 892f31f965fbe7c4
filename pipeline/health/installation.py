"""Installed software -> findings: Python, and the packages of the extra `pipeline`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.health.finding import Finding

# The packages of the extra `pipeline` in setup.py, each with its lowest version.
REQUIRED = {
    "apache-beam": "2.77",
    "importlib_resources": "6",
    "jinja2": "3.1",
    "matplotlib": "3.10",
    "onnx": "1.19",
    "optuna": "4.5",
    "pillow": "11",
    "rich": "14",
    "scipy": "1.16",
    "simplejpeg": "1.9",
    "tensorboard": "2.20",
    "tensorflow": "2.21",
    "tensorflow-datasets": "4.9.10",
    "tf2onnx": "1.17",
    "tyro": "1",
}


def python_finding() -> Finding:
    """Checks the version of Python."""
    python = f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("fix", "python", f"{python}: use Python 3.11 to 3.13")
    return Finding("ok", "python", python)


def package_findings() -> Iterator[Finding]:
    """Checks that all packages are installed, are new enough, and are those of requirements.lock if it exists."""
    installed: dict[str, str] = {}
    for name, lowest in REQUIRED.items():
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            user = ", which tensorflow-datasets imports and does not declare" if name == "importlib_resources" else ""
            message = f"{name} is not installed{user}: pip install '.[pipeline]' in Beamline's folder"
            yield Finding("fix", "packages", message)
            continue
        if _numbers(installed[name]) < _numbers(lowest):
            remedy = "pip install --upgrade '.[pipeline]' in Beamline's folder"
            yield Finding("fix", "packages", f"{name} {installed[name]} is older than {lowest}: {remedy}")
    yield Finding("ok", "packages", ", ".join(f"{name} {number}" for name, number in installed.items()) or "none")
    lock = Path("requirements.lock")
    if lock.is_file():
        text = lock.read_text(encoding="utf-8", errors="replace")
        pinned = dict(re.findall(r"^([\w.-]+)==([\w.+]+)", text, re.MULTILINE))
        other = [f"{name} {number}" for name, number in installed.items() if pinned.get(name, number) != number]
        if other:
            message = f"not the versions of {lock}: {', '.join(other)}; `make setup` installs those"
            yield Finding("note", "packages", message)


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version, for comparisons: 4.9.10 is newer than 4.9.9."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])
