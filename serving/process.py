"""This process: what it has taken of the machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def peak_memory_bytes() -> int:
    """The largest resident memory of this program so far.

    Linux's getrusage also counts what the process was before it became this program, as a copy of its parent.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
