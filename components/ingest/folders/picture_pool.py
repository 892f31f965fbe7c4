"""Parts of a set of pictures -> results in order, by threads, or by processes for many small pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from serving.batch.folders.picture_processes import PictureProcesses, processes_for
from serving.machine import usable_processors
from serving.parallel import map_in_order

Item = TypeVar("Item")
Result = TypeVar("Result")

# Files of this size at most, on average, take less time to decode than threads need to take turns.
SMALL_BYTES = 1 << 12


class _Pool:
    """The processes of this process, for the set that it reads. A Beam worker elsewhere has none and needs none."""

    lock = threading.Lock()
    processes: PictureProcesses | None = None


def map_parts(function: Callable[[Item], Result], parts: Sequence[Item], small: bool) -> Iterator[Result]:
    """Yields the function's result for each part, in order.

    Args:
        function: of a module's own, or a `partial` of one: it may be called in another process.
        parts: of the set.
        small: whether the files are small: threads would only hinder each other.

    Raises: Exception: the first error of the function in the parts' order.
    """
    if not small:
        return map_in_order(function, parts, usable_processors())
    processes = _Pool.processes
    return map(function, parts) if processes is None else processes.map(function, parts)


def start_processes(files: int) -> None:
    """Starts processes for many small files, unless they are started, or would not be worth it."""
    with _Pool.lock:
        count = processes_for(files)
        if _Pool.processes is None and count > 1:
            _Pool.processes = PictureProcesses(count)


def stop_processes() -> None:
    """Ends the processes, if there are any."""
    with _Pool.lock:
        if _Pool.processes is not None:
            _Pool.processes.stop()
            _Pool.processes = None
