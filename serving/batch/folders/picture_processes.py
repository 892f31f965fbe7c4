"""Calls of functions on small pictures -> their results, from other processes of this machine.

Threads of Python take turns. For a picture that takes a twentieth of a millisecond, taking turns costs more than it
saves; several processes work at once.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from serving.errors import BeamlineError
from serving.machine import usable_processors
from serving.parallel import map_in_order, outcome_of, start_threads
from serving.process.child import child_environment, python_command

Item = TypeVar("Item")
Result = TypeVar("Result")

# With fewer files, starting processes takes longer than they save.
FILES_PER_PROCESS = 5_000
PROGRAM = "from serving.batch.folders.picture_processes import serve; serve()"


class PictureProcesses:
    """Processes that wait for calls. They import neither the caller's main module nor Beam."""

    def __init__(self, count: int) -> None:
        """Starts all of `count` processes except this one, which takes calls too."""
        self._processes: list[subprocess.Popen[bytes]] = []
        # None is this process.
        self._idle: SimpleQueue[subprocess.Popen[bytes] | None] = SimpleQueue()
        self._idle.put(None)
        for _ in range(count - 1):
            try:
                process = subprocess.Popen(
                    python_command("-c", PROGRAM),
                    env=child_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # Ctrl-C in a terminal reaches the caller alone, which then closes the pipes.
                    start_new_session=True,
                )
            except BlockingIOError:
                # The system gives no more processes: those that run do the work.
                break
            self._processes.append(process)
            self._idle.put(process)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yields the function's result for each item, in order. Function, items and results are sent by pickle.

        Raises:
            BeamlineError: a process was ended by someone else.
            Exception: the first error of the function in the items' order.
        """
        return map_in_order(lambda item: self._call(function, item), items, 1 + len(self._processes))

    def spread(
        self, function: Callable[[Item], Result], items: Sequence[Item], meanwhile: Callable[[], object]
    ) -> list[Result]:
        """The function's result for each item, in order. This process calls `meanwhile` first, and then takes items.

        Raises: as `map`.
        """
        waiting = deque(range(len(items)))
        outcomes: dict[int, Callable[[], Result]] = {}

        def work(call: Callable[[Item], Result]) -> None:
            # Empty when all items are taken: a deque gives each index to one thread.
            with suppress(IndexError):
                while True:
                    index = waiting.popleft()
                    outcomes[index], failed = outcome_of(call, items[index])
                    if failed:
                        waiting.clear()

        threads = [threading.Thread(target=work, args=(partial(_call, one, function),)) for one in self._processes]
        started = start_threads(threads)
        try:
            meanwhile()
            work(function)
        finally:
            waiting.clear()
            for thread in threads[:started]:
                thread.join()
        # Items before one that failed were taken before it.
        return [outcomes[index]() for index in sorted(outcomes)]

    def stop(self) -> None:
        """Ends the processes: each one ends when its input ends."""
        for process in self._processes:
            # Communicates nothing, but closes both pipes even if one is broken.
            process.communicate()

    def _call(self, function: Callable[[Item], Result], item: Item) -> Result:
        process = self._idle.get()
        try:
            return function(item) if process is None else _call(process, function, item)
        finally:
            self._idle.put(process)


def _call(process: subprocess.Popen[bytes], function: Callable[[Item], Result], item: Item) -> Result:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(pickle.dumps((function, item)))
        process.stdin.flush()
        result, error = pickle.load(process.stdout)
    except (OSError, EOFError, pickle.UnpicklingError) as broken:
        raise BeamlineError(f"{_end_of(process)} while it read pictures: run the same command again") from broken
    if error is not None:
        raise error
    answer: Result = result
    return answer


def _end_of(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"a process of Beamline {how}"


def processes_for(files: int) -> int:
    """The number of processes that are worth their start for this number of small files; below 2 none is."""
    return min(usable_processors(), files // FILES_PER_PROCESS)


def serve() -> None:
    """Answers calls from standard input on standard output, until the input ends."""
    calls, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            function, item = pickle.load(calls)
        except EOFError:
            return
        answer: tuple[Any, Exception | None]
        try:
            answer = function(item), None
        except Exception as error:
            answer = None, error
        answers.write(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        answers.flush()
