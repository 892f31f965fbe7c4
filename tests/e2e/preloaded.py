"""Commands in processes of their own that do not import TensorFlow, Beam and Matplotlib again.

One server for each test process imports the libraries, and each command is a fork of it. Neither the server nor this
module imports a module of Beamline: a command imports them from its own working directory.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.e2e.imported"])


def run_python(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], packages: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m MODULE …` or `python -c CODE …` in a folder.

    Args:
        arguments: of the interpreter; the first is `-m` or `-c`.
        folder: the working directory, and the first place of imports.
        environment: all environment variables.
        packages: a folder of more packages; they come before those of this environment.
    """
    with tempfile.TemporaryDirectory() as printed:
        out, err = Path(printed) / "out", Path(printed) / "err"
        process = CONTEXT.Process(target=enter, args=(arguments, [folder, packages], dict(environment), out, err))
        process.start()
        process.join()
        assert process.exitcode is not None
        output = (out.read_text(), err.read_text())
    return subprocess.CompletedProcess([sys.executable, *arguments], process.exitcode, *output)


def enter(
    arguments: tuple[str, ...], places: list[Path | None], environment: dict[str, str], out: Path, err: Path
) -> None:
    for number, file in ((1, out), (2, err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    root = Path(__file__).parents[2].resolve()
    folder, *_ = first = [str(place) for place in places if place is not None]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [*first, *(path for path in sys.path if path and Path(path).resolve() != root)]
    option, name, *rest = arguments
    sys.argv = [option, *rest]
    if option == "-m":
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        exec(compile(name, "<string>", "exec"), {"__name__": "__main__"})
