"""Items -> results, by several threads, in the items' order and a bounded number at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Results that may wait to be taken, beside one under way in each thread: while one is written, nobody is idle.
WAITING = 2


def in_order(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> Iterator[Result]:
    """What the function makes of each item, in their order; those that come next are under way meanwhile.

    Args:
        function: called in threads of its own, on several items at once.
        items: begun at most `threads` + WAITING ahead of what was given back.
        threads: 1 or more.

    Raises:
        BaseException: the first that the function raises, in the items' order; hardly anything is begun after it.
    """
    threads = min(threads, len(items))
    if threads < 2:
        yield from map(function, items)
        return
    work = _Work(function, items)
    running = [threading.Thread(target=work.run) for _ in range(threads)]
    try:
        for thread in running:
            thread.start()
        yield from work.results(threads + WAITING)
    finally:
        work.stop(threads)
        for thread in running:
            # One that was not started, or just being started when the stop came, ends by itself.
            with suppress(RuntimeError):
                thread.join()


class _Work(Generic[Item, Result]):
    """What the threads share.

    The standard library's pools would be a tenth of what a small file takes to be scored, and a stop that comes while
    they hold a lock could hang; these queues have none that Python sees.
    """

    def __init__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> None:
        self._function = function
        self._items = items
        self._to_begin: SimpleQueue[int | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, Callable[[], Result]]] = SimpleQueue()
        self._stopped = False

    def run(self) -> None:
        """Makes one result after the other, until it is told to end."""
        while (number := self._to_begin.get()) is not None and not self._stopped:
            self._done.put((number, self._outcome(number)))

    def results(self, most_ahead: int) -> Iterator[Result]:
        """Every result in order; raises what making it raised."""
        for number in range(min(most_ahead, len(self._items))):
            self._to_begin.put(number)
        early: dict[int, Callable[[], Result]] = {}
        for number in range(len(self._items)):
            while number not in early:
                early.update([self._done.get()])
            yield early.pop(number)()
            if number + most_ahead < len(self._items):
                self._to_begin.put(number + most_ahead)

    def stop(self, threads: int) -> None:
        """Lets nothing more be begun."""
        self._stopped = True
        for _ in range(threads):
            self._to_begin.put(None)

    def _outcome(self, number: int) -> Callable[[], Result]:
        try:
            result = self._function(self._items[number])
        except BaseException as error:
            failure = error

            def fail() -> Result:
                raise failure

            return fail
        return lambda: result
