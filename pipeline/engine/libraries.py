"""TensorFlow and Keras, imported before a step needs them, and without what they would import for notebooks."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from pipeline.engine.source_code import library_versions
from pipeline.engine.step import Step


def need_tensorflow(steps: Iterable[Step]) -> bool:
    """Whether one of the steps needs TensorFlow, and it is not imported yet."""
    if "tensorflow" in sys.modules:
        return False
    return any("tensorflow" in library_versions(step.component.module.__name__) for step in steps)


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras, which takes seconds.

    Keras imports matplotlib where it is installed, to show pictures in notebooks. Here that would take half a second.
    """
    hidden = "matplotlib" not in sys.modules
    if hidden:
        # An import of a module that is None fails, as if it were not installed; Keras expects that.
        sys.modules["matplotlib"] = None  # type: ignore[assignment]
    try:
        for name in ("tensorflow", "keras"):
            importlib.import_module(name)
    finally:
        if hidden:
            del sys.modules["matplotlib"]
