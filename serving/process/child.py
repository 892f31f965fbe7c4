"""Python programs in child processes, which import this Beamline: not packages of the same names in other folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The folder that has `pipeline`, `components` and `serving`.
ROOT = Path(__file__).parents[2]


def python_command(*arguments: str) -> list[str]:
    """A command that starts this interpreter with these arguments, and without the working folder in its path."""
    return [sys.executable, "-P", *arguments]


def child_environment() -> dict[str, str]:
    """The environment of this process, with Beamline's folder first in Python's path."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


@contextmanager
def own_packages_in_children() -> Iterator[None]:
    """Children that a library starts meanwhile, with this process's environment, import this Beamline too."""
    changes = {"PYTHONPATH": child_environment()["PYTHONPATH"], "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
