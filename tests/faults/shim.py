"""shim.c -> a library below Python, and the memory that a process shares with it: which call fails, and how."""

from __future__ import annotations

import ctypes
import errno
import mmap
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SOURCE = Path(__file__).with_name("shim.c")
VARIABLE = "BEAMLINE_FAULTS"
FOLDERS, FOLDER_BYTES, CALL_BYTES = 4, 512, 512
UNLIMITED = (1 << 64) - 1


def compiler() -> str | None:
    """The C compiler; None if this machine has none."""
    return shutil.which("cc") or shutil.which("gcc")


def compile_shim(folder: Path) -> Path:
    """Compiles the library into a folder."""
    library = folder / "shim.so"
    command = [str(compiler()), "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return library


class _Layout(ctypes.Structure):
    """`struct faults` of shim.c."""

    _fields_ = (
        ("armed", ctypes.c_uint64),
        ("calls", ctypes.c_uint64),
        ("injected", ctypes.c_uint64),
        ("first", ctypes.c_uint64),
        ("last", ctypes.c_uint64),
        ("error", ctypes.c_int64),
        ("folders", (ctypes.c_char * FOLDER_BYTES) * FOLDERS),
        ("call", ctypes.c_char * CALL_BYTES),
    )


@dataclass(frozen=True)
class Fault:
    """The calls that fail.

    Attributes:
        nth: the first call that fails, 1 or more; 0 lets all calls succeed.
        kind: `EIO` or `ENOSPC`, or `kill` for SIGKILL instead of the call.
        lasting: whether all later calls fail too.
    """

    nth: int = 0
    kind: str = "EIO"
    lasting: bool = False

    def __str__(self) -> str:
        return f"call {self.nth}: {self.kind}{' from then on' if self.lasting else ''}"


@dataclass(frozen=True)
class Seen:
    """What the library counted: calls below the folders, failures, and the first call that failed."""

    calls: int
    injected: int
    call: str


class SharedFaults:
    """The file that the processes share with the library."""

    def __init__(self, file: Path) -> None:
        file.write_bytes(bytes(ctypes.sizeof(_Layout)))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 0)
        self._layout = _Layout.from_buffer(self._memory)

    def arm(self, fault: Fault, folders: list[Path]) -> Self:
        """Starts to count the calls below the folders, and to fail."""
        assert len(folders) <= FOLDERS
        ctypes.memset(ctypes.addressof(self._layout), 0, ctypes.sizeof(_Layout))
        for place, folder in enumerate(folders):
            self._layout.folders[place].value = str(folder.resolve()).encode()
        self._layout.first = fault.nth
        self._layout.last = UNLIMITED if fault.lasting else fault.nth
        self._layout.error = 0 if fault.kind == "kill" else getattr(errno, fault.kind)
        self._layout.armed = 1
        return self

    def disarm(self) -> Seen:
        """Stops it. Returns: what was counted."""
        self._layout.armed = 0
        return Seen(self._layout.calls, self._layout.injected, self._layout.call.decode(errors="replace"))
