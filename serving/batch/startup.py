"""The start of the command's process, before its imports."""

from __future__ import annotations

import gc
import signal


def prepare_imports() -> None:
    """Imports make no garbage, and Ctrl-C during them should end the process without a traceback.

    The collector would take a tenth of the time of a small file; `gc.enable()` turns it on again.
    """
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
