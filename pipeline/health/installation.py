"""Installed software -> findings: Python, the packages that a run needs, and whether the scorer's work here."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.health.finding import Finding

# The packages of the base install in setup.py, each with its lowest version.
BASE = {
    "numpy": "2",
    "onnxruntime": "1.31",
    "tqdm": "4.66",
}
# These and the packages of the extra `pipeline`.
REQUIRED = {
    **BASE,
    "apache-beam": "2.77",
    "google-crc32c": "1.6",
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

# The first versions that setup.py excludes.
TOO_NEW = {"numpy": "3"}
# `images` uint8 (n, 1, 2, 1) -> `probabilities`, the softmax of the two pixels.
TINY_MODEL = Path(__file__).with_name("softmax.onnx")
# The softmax of 0 and 1.
EXPECTED = (0.26894142, 0.73105858)
REINSTALL = "pip install --force-reinstall"


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
        if name in TOO_NEW and _numbers(installed[name]) >= _numbers(TOO_NEW[name]):
            remedy = f"pip install '{name}<{TOO_NEW[name]}'"
            yield Finding("fix", "packages", f"{name} {installed[name]} is not older than {TOO_NEW[name]}: {remedy}")
    yield Finding("ok", "packages", ", ".join(f"{name} {number}" for name, number in installed.items()) or "none")
    lock = Path("requirements.lock")
    if lock.is_file():
        text = lock.read_text(encoding="utf-8", errors="replace")
        # A package may have several lines, for several versions of Python.
        pinned: dict[str, set[str]] = {}
        for name, number in re.findall(r"^([\w.-]+)==([\w.+]+)", text, re.MULTILINE):
            pinned.setdefault(name, set()).add(number)
        other = [f"{name} {number}" for name, number in installed.items() if number not in pinned.get(name, {number})]
        if other:
            message = f"not the versions of {lock}: {', '.join(other)}; `make setup` installs those"
            yield Finding("note", "packages", message)


def scorer_findings() -> Iterator[Finding]:
    """Imports the packages of the base install, and scores with onnxruntime: an installed one can still fail."""
    yield from (finding for name in BASE if (finding := _import_finding(name)) is not None)
    try:
        # Imported here, because the packages may be missing.
        import numpy as np

        from serving.scoring.network import Network

        found = Network(TINY_MODEL.read_bytes()).probabilities(np.array([0, 1], np.uint8).reshape(1, 1, 2, 1), 1)
    except Exception as error:
        # onnxruntime has a dozen exceptions without a common base class.
        yield Finding("fix", "onnxruntime", f"it cannot score a tiny model ({error}): {REINSTALL} onnxruntime")
        return
    if not np.allclose(found, EXPECTED, rtol=0, atol=1e-6):
        message = f"it scores a tiny model with {found[0].tolist()}, right is {list(EXPECTED)}"
        yield Finding("fix", "onnxruntime", f"{message}: {REINSTALL} onnxruntime")
    else:
        yield Finding("ok", "onnxruntime", "a tiny model has the right probabilities")


def _import_finding(name: str) -> Finding | None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            # `package_findings` names it.
            return None
        return Finding("fix", "packages", f"{name} cannot be imported ({error}): {REINSTALL} {name}")
    except Exception as error:
        return Finding("fix", "packages", f"{name} cannot be imported ({error}): {REINSTALL} {name}")
    return None


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version, for comparisons: 4.9.10 is newer than 4.9.9."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])
