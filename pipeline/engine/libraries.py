"""TensorFlow, Keras and Beam, imported before they are needed, and without what no step uses."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipeline.engine.source_code import library_versions
from pipeline.engine.step import Step


def need_tensorflow(steps: Iterable[Step]) -> bool:
    """Whether one of the steps needs TensorFlow, and it is not imported yet."""
    if "tensorflow" in sys.modules:
        return False
    return any("tensorflow" in library_versions(step.component.module.__name__) for step in steps)


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras, which takes seconds.

    What they import besides where it is installed would take half a second more: to show pictures in notebooks, and to
    read and write formats that no step uses.
    """
    with _hidden("matplotlib", "h5py", "scipy"):
        for name in ("tensorflow", "keras"):
            importlib.import_module(name)


def import_beam() -> None:
    """Imports Beam, without what it imports for databases that no step reads, if it is installed; it works without."""
    with _hidden("bson", "pymongo", "apache_beam.io.gcp.bigquery"):
        importlib.import_module("apache_beam")


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Hides libraries that are not imported yet: an import of them fails, as if they were not installed."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
