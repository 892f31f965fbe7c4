"""Parts of a set of pictures -> results in order, by threads, or by processes for many small pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from components.beam import BeamOptions
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


def map_blocks(
    function: Callable[[Item], Result],
    blocks: Sequence[Item],
    beam: BeamOptions,
    folder: Path,
    meanwhile: Callable[[], object],
) -> list[Result]:
    """The function's result for each block, in any order: by the processes, if there are any, else as `beam` does it.

    Function, blocks and results are sent by pickle.

    Args:
        function: makes a block.
        blocks: to make.
        beam: says how without the processes.
        folder: that of `BeamOptions.map`.
        meanwhile: what this process does first while the others work.
    """
    processes = _Pool.processes
    if beam.arguments or processes is None:
        return beam.map(function, blocks, folder)
    # A process takes one call at a time: here too, the parts of a block are not spread again.
    _Pool.processes = None
    try:
        return processes.spread(function, blocks, meanwhile)
    finally:
        _Pool.processes = processes


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
