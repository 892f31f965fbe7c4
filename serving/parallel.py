"""Items -> results in the items' order, by several threads and with a bounded number in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Finished results that may wait, besides one in progress per thread: no thread is idle while one is written.
WAITING = 4


def map_in_order(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> Iterator[Result]:
    """Yields the function's result for each item, in order, while one or more threads compute the next ones.

    At most `threads` + WAITING items are started ahead of the yielded results.

    Raises: BaseException: the first error of the function in the items' order.
    """
    threads = min(threads, len(items))
    if threads < 2:
        yield from map(function, items)
        return
    work = _Work(function, items)
    running = [threading.Thread(target=work.run) for _ in range(threads)]
    try:
        if started := start_threads(running):
            yield from work.results(started + WAITING)
        else:
            yield from map(function, items)
    finally:
        work.stop(threads)
        for thread in running:
            # join() fails for a thread that was not started yet; such a thread ends by itself.
            with suppress(RuntimeError):
                thread.join()


def start_threads(threads: Sequence[threading.Thread]) -> int:
    """Starts threads, fewer if the system gives no more. Returns: how many run."""
    for number, thread in enumerate(threads):
        try:
            thread.start()
        except RuntimeError:
            return number
    return len(threads)


def outcome_of(function: Callable[[Item], Result], item: Item) -> tuple[Callable[[], Result], bool]:
    """A function that returns the function's result for an item, or raises its error; and whether it failed."""
    try:
        result = function(item)
    except BaseException as error:
        failure = error

        def fail() -> Result:
            raise failure

        return fail, True
    return lambda: result, False


class _Work(Generic[Item, Result]):
    """The queues that the threads share.

    Importing the standard library's pools takes a tenth of the time to score a small file, and an interrupt while a
    pool holds a lock could hang. SimpleQueue is written in C and has no such lock.
    """

    def __init__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> None:
        self._function = function
        self._items = items
        self._to_start: SimpleQueue[int | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, Callable[[], Result]]] = SimpleQueue()
        self._stopped = False

    def run(self) -> None:
        """Computes results until `stop` is called."""
        while (number := self._to_start.get()) is not None and not self._stopped:
            self._done.put((number, outcome_of(self._function, self._items[number])[0]))

    def results(self, most_ahead: int) -> Iterator[Result]:
        """Yields every result in order, or raises its error."""
        for number in range(min(most_ahead, len(self._items))):
            self._to_start.put(number)
        early: dict[int, Callable[[], Result]] = {}
        for number in range(len(self._items)):
            while number not in early:
                early.update([self._done.get()])
            yield early.pop(number)()
            if number + most_ahead < len(self._items):
                self._to_start.put(number + most_ahead)

    def stop(self, threads: int) -> None:
        """Starts no more items."""
        self._stopped = True
        for _ in range(threads):
            self._to_start.put(None)
