"""The command line: `python -m pipeline COMMAND`, or `beamline COMMAND`."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command handles signals there is nothing to clean up: Ctrl-C ends the process, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import ast
import gc
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path

from serving.errors import BeamlineError, InputError, one_line
from serving.interrupts import Terminated, raise_on_signals
from serving.process.command import run_command
from serving.process.program import PIPELINE
from serving.suggestions import did_you_mean

# In the order of the help; each is the module of `pipeline.commands` whose function has its name.
COMMANDS: tuple[str, ...] = (
    "run",
    "runs",
    "show",
    "compare",
    "tune",
    "diff",
    "promote",
    "rollback",
    "history",
    "doctor",
    "schema",
)
COMMANDS += ("clean", "sample")
# Flags of several commands that name what is written, and their defaults.
PLACES = {"--runs": "runs", "--models": "models", "--data-dir": None, "--out": None}
# Those whose output is all that they make.
ONLY_SHOWN = {"runs", "show", "diff", "history", "doctor", "help", "-h", "--help"}


def main(arguments: list[str]) -> int:
    """Runs one command.

    Returns:
        0 done, 1 failed, 2 wrong usage or bad input, 3 refused by a gate, 4 bundle refused, 130 and 143 interrupted.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    command, rest = arguments[0], arguments[1:]
    # The default is tuned for small programs: the collections take a third of the time in which TensorFlow is imported.
    gc.set_threshold(50_000, 20, 50)
    try:
        # Until the command is imported, a signal ends the process at once: there is nothing to clean up.
        function = _function(command)
        raise_on_signals()
        return function(rest)
    except BeamlineError as error:
        print(f"{command}: {one_line(error)}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        if not _is_of_the_extra(library):
            raise
        print(f"{command}: {library} is not installed: pip install '.[pipeline]' in Beamline's folder", file=sys.stderr)
        return 1
    except Exception as error:
        # Imported here: every command would start later.
        from serving.faults.wording import failure_sentence

        sentence = failure_sentence(error, _places(rest))
        if sentence is None and not isinstance(error, OSError):
            raise
        print(f"{command}: {one_line(sentence or error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{command}: interrupted", file=sys.stderr)
        return 130
    except Terminated as stop:
        print(f"{command}: terminated", file=sys.stderr)
        return stop.exit_code


def _places(arguments: list[str]) -> dict[str, Path]:
    """The folders and files that the command may have written, by the flag that names each."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    given |= {flag: value for flag, value in itertools.pairwise(arguments) if flag.startswith("--")}
    named = {flag: given.get(flag, default) for flag, default in PLACES.items()}
    return {flag: Path(value) for flag, value in named.items() if value is not None}


def usage() -> str:
    """The help."""
    lines = (f"  {command:<8} {summary}" for command, summary in summaries().items())
    return "\n".join([f"usage: {PIPELINE} COMMAND [--help]", "", *lines])


def summaries() -> dict[str, str]:
    """What each command does: the first line of its module's docstring, read without importing the module."""
    found = {}
    for command in COMMANDS:
        file = Path(__file__).parent / "commands" / f"{command}.py"
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        found[command] = docstring.splitlines()[0].partition(": ")[2].rstrip(".")
    return found


def _function(command: str) -> Callable[[list[str]], int]:
    """The function of a command. Raises: InputError: there is no such command."""
    # Each import is a part of its own command alone: TensorFlow, Beam and matplotlib take seconds.
    match command:
        case "run":
            from pipeline.commands.run import run as function
        case "runs":
            from pipeline.commands.runs import runs as function
        case "show":
            from pipeline.commands.show import show as function
        case "compare":
            from pipeline.commands.compare import compare as function
        case "tune":
            from pipeline.commands.tune import tune as function
        case "diff":
            from pipeline.commands.diff import diff as function
        case "promote":
            from pipeline.commands.promote import promote as function
        case "rollback":
            from pipeline.commands.rollback import rollback as function
        case "history":
            from pipeline.commands.history import history as function
        case "doctor":
            from pipeline.commands.doctor import doctor as function
        case "schema":
            from pipeline.commands.schema import schema as function
        case "clean":
            from pipeline.commands.clean import clean as function
        case "sample":
            from pipeline.commands.sample import sample as function
        case _:
            hint = did_you_mean(command, COMMANDS).strip() or f"give one of {', '.join(COMMANDS)}"
            raise InputError(f"there is no such command: {hint}")
    return function


def _is_of_the_extra(library: str) -> bool:
    """Whether a library comes with the extra `pipeline`; the scorer alone is installed without it."""
    from pipeline.health.installation import REQUIRED

    return library == "keras" or library in {name.replace("-", "_") for name in REQUIRED}


if __name__ == "__main__":
    # TensorFlow and Beam need more than a second to shut down; everything is on the disk by now.
    os._exit(run_command(lambda: main(sys.argv[1:]), set(sys.argv[1:2]) <= ONLY_SHOWN))
