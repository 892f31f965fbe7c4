"""The process of a command, from its imports to its exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from serving.interrupts import Terminated
from serving.process.streams import output_failure, prepare_streams

INTERRUPTED = 130
STOPS = (signal.SIGINT, signal.SIGTERM)


def run_command(main: Callable[[], int], only_shows: bool = False) -> int:
    """Runs a command to its exit code, with standard streams on which printing never fails.

    Args:
        main: does the work.
        only_shows: whether its output is all that the command makes, as for `runs`. It failed if that could not be
            written; the output of another command changes nothing that was done.
    """
    prepare_streams()
    try:
        code, only_shows = _code_of(main, only_shows)
        for number in STOPS:
            # All is done: from here on, no signal raises an exception.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated as stop:
        return stop.exit_code
    sys.stdout.flush()
    if only_shows and not code and (failure := output_failure()) is not None:
        print(f"the output could not be written: {failure.strerror}: give it a place with room", file=sys.stderr)
        code = 1
    sys.stderr.flush()
    return code


def _code_of(main: Callable[[], int], only_shows: bool) -> tuple[int, bool]:
    """The exit code, and whether the output is all that was made."""
    try:
        return main(), only_shows
    except SystemExit as stop:
        # argparse and tyro end so after `--help`.
        return (stop.code if isinstance(stop.code, int) else 0), True
