"""The start of the scorer's process, before its other imports."""

from __future__ import annotations

import gc


def prepare_imports() -> None:
    """Turns the garbage collector off: during imports, it would take a tenth of the time to score a small file."""
    gc.disable()


def start_collecting() -> None:
    """Turns the garbage collector on, if it is off. It never visits the imported objects: none becomes garbage."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
