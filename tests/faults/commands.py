"""Commands of Beamline in forked processes, whose calls the library of shim.c counts and fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.conftest import ROOT
from tests.faults.shim import VARIABLE, Fault, Seen, SharedFaults, compile_shim


@dataclass(frozen=True)
class Ended:
    """A command that ended.

    Attributes:
        exit_code: its exit code; negative: the signal that ended it.
        out: its standard output.
        err: its standard error.
        seen: what the library counted.
    """

    exit_code: int
    out: str
    err: str
    seen: Seen

    @property
    def printed(self) -> str:
        """All that it printed."""
        return self.out + self.err


class Commands:
    """Starts commands, one after the other, from a server that has imported everything."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="beamline-faults-")
        scratch = Path(self._scratch.name)
        self._shared = SharedFaults(scratch / "faults")
        self._printed = (scratch / "out", scratch / "err")
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TF_", "PYTHON", "MAKE"))
        } | {"LD_PRELOAD": str(compile_shim(scratch)), VARIABLE: str(scratch / "faults"), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: tuple[str, ...], folder: Path, fault: Fault | None = None) -> Ended:
        """Runs `python -m MODULE …` in a folder; with a fault, calls below the folder are counted and fail."""
        for file in self._printed:
            file.write_text("")
        (folder / "tmp").mkdir(exist_ok=True)
        request = {
            "arguments": ["-m", *arguments],
            "folder": str(folder),
            "environment": self.environment | {"TMPDIR": str(folder / "tmp")},
            "out": str(self._printed[0]),
            "err": str(self._printed[1]),
        }
        if fault is not None:
            self._shared.arm(fault, [folder])
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(request), file=self._server.stdin, flush=True)
        exit_code = int(self._server.stdout.readline())
        seen = self._shared.disarm()
        out, err = (file.read_text(errors="replace") for file in self._printed)
        return Ended(exit_code, out, err, seen)

    def __enter__(self) -> Self:
        """The commands themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the server."""
        assert self._server.stdin is not None
        with self._server:
            self._server.stdin.close()
        self._scratch.cleanup()
