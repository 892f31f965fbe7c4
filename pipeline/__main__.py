"""The command line: `python -m pipeline COMMAND`."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys

from serving.errors import BeamlineError, InputError
from serving.interrupts import Terminated, raise_on_signals

COMMANDS = {
    "run": "run the pipeline: ingest to promotion",
    "runs": "list all runs",
    "show": "show one run: its verdict and why, what became of each step, what it was told",
    "compare": "run several presets, and say which of them is better beyond chance",
    "tune": "search for a better recipe, and hold the best against the preset that it began from",
    "diff": "show what differs between two runs",
    "promote": "make the model of a run serve, also one that was rolled back from",
    "rollback": "make the version serve again that served before",
    "history": "show who let which version of a model serve, when and why",
    "doctor": "look at all that a run needs, and say what to do",
    "schema": "write what the training data of a run are like, to hold later data against it",
    "clean": "remove what neither a promoted version nor the last runs need",
    "sample": "write the images of a split as a file to score",
}
# The module of each command, whose function has the command's name; imported when it is asked for.
DOORS = {command: command for command in COMMANDS}
DOORS |= dict.fromkeys(("runs", "show", "diff"), "listing") | dict.fromkeys(("rollback", "history"), "served")
DOORS |= {"promote": "promotions"}
USAGE = "usage: python -m pipeline COMMAND [--help]\n\n" + "\n".join(
    f"  {name:<8} {what}" for name, what in COMMANDS.items()
)


def main(arguments: list[str]) -> int:
    """Runs one command.

    Returns:
        0 done, 1 failed, 2 wrong usage or bad input, 3 refused by a gate, 4 bundle refused, 130 and 143 interrupted.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    command, rest = arguments[0], arguments[1:]
    raise_on_signals()
    try:
        return _dispatch(command, rest)
    except BeamlineError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        if not _is_of_the_extra(library):
            raise
        print(f"{command}: {library} is not installed: pip install '.[pipeline]' in Beamline's folder", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{command}: interrupted", file=sys.stderr)
        return 130
    except Terminated as stop:
        print(f"{command}: terminated", file=sys.stderr)
        return stop.exit_code


def _dispatch(command: str, rest: list[str]) -> int:
    if command not in DOORS:
        near = difflib.get_close_matches(command, COMMANDS, n=1)
        raise InputError(
            f"there is no such command: {f'did you mean {near[0]}?' if near else 'give one of ' + ', '.join(COMMANDS)}"
        )
    code: int = getattr(importlib.import_module(f"pipeline.{DOORS[command]}"), command)(rest)
    return code


def _is_of_the_extra(library: str) -> bool:
    """Whether a library comes with the extra `pipeline`, without which only the scorer is installed."""
    from pipeline.doctor import REQUIRED

    return library == "keras" or library in {name.replace("-", "_") for name in REQUIRED}


def _main_of_process() -> int:
    """Runs the command; a reader that had enough of our output, as `head` does, is no failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        return 0
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    # TensorFlow and Beam take more than a second to take themselves apart; everything is on the disk by now.
    os._exit(_main_of_process())
