"""A path -> a regular file, held open from its check on: one that is replaced meanwhile is still read whole."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import weakref
from dataclasses import dataclass
from pathlib import Path

from serving.errors import InputError

TAKEN = "a .npy file of uint8 images, an IDX file, or pictures (PNG or JPEG), or a folder of them"


# Of a file: its size in bytes, when its content was changed last and when anything of it was, in nanoseconds, and its
# number. Nobody can set the second time: a file with the same four is the same file with the same content.
State = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class OpenFile:
    """An open file, closed when nothing refers to it any more. Reading it from several threads is safe.

    Attributes:
        path: as it was given; what messages name.
        descriptor: of the open file, read by position alone.
        state: when it was opened.
    """

    path: Path
    descriptor: int
    state: State

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self.descriptor)

    @property
    def size_bytes(self) -> int:
        """When it was opened."""
        return self.state[0]

    @property
    def sha256(self) -> str:
        """A digest of the state."""
        return hashlib.sha256(repr(self.state).encode()).hexdigest()

    @property
    def name(self) -> str:
        """The path as messages show it."""
        return shown(self.path)

    def head(self, size_bytes: int) -> bytes:
        """The first bytes, fewer where the file is shorter. Raises: InputError."""
        content = bytearray(min(size_bytes, self.size_bytes))
        self.read_into(memoryview(content), 0)
        return bytes(content)

    def read_into(self, buffer: memoryview, offset_bytes: int) -> None:
        """Fills a buffer with what stands in the file from an offset on.

        Raises:
            InputError: the file became shorter, or the disk does not give it.
        """
        done = 0
        while done < len(buffer):
            try:
                read = os.preadv(self.descriptor, [buffer[done:]], offset_bytes + done)
            except OSError as error:
                raise unreadable(self.path, error) from error
            if not read:
                raise InputError(f"{self.name} became shorter while it was read: write it whole, then score it again")
            done += read

    def require_unchanged(self) -> None:
        """Refuses a file that was written to since it was opened. Raises: InputError."""
        if not same_content(state_of(os.fstat(self.descriptor)), self.state):
            raise changed(self.path)


def open_file(path: Path) -> OpenFile:
    """Opens a regular file.

    Raises:
        InputError: no such file, no right to read it, or no regular file.
    """
    try:
        # Opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(path, error) from error
    return adopt(path, descriptor)


def adopt(path: Path, descriptor: int) -> OpenFile:
    """Takes over an open descriptor. Raises: InputError where it is no regular file."""
    found = os.fstat(descriptor)
    file = OpenFile(path, descriptor, state_of(found))
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise InputError(f"{file.name} is {kind}, and no file: give {TAKEN}")
    return file


def state_of(found: os.stat_result) -> State:
    """What tells a file from any other and from itself after a change."""
    # A file's number may have 64 bits, of which numpy's integers hold 63.
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & (1 << 63) - 1


def same_content(one: State, other: State) -> bool:
    """Whether a file that is held was not written to, whatever its rights and names are meanwhile."""
    return one[:2] == other[:2]


def shown(path: str | os.PathLike[str]) -> str:
    r"""A path as text that every encoding can write: bytes that are no UTF-8 as \xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def unreadable(path: str | os.PathLike[str], error: OSError) -> InputError:
    """What to say of a file that the system does not give."""
    advice = "give fewer files at once, or raise `ulimit -n`" if error.errno == errno.EMFILE else f"give {TAKEN}"
    return InputError(f"{shown(path)} cannot be read: {error.strerror}: {advice}")


def changed(path: str | os.PathLike[str]) -> InputError:
    """What to say of a file that is not any more what it was when it was found."""
    return InputError(f"{shown(path)} was changed while it was read: write it whole, then score it again")
