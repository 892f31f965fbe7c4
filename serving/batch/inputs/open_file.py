"""A path -> an open regular file, which stays readable if the path is replaced meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import weakref
from dataclasses import dataclass
from pathlib import Path

from serving.errors import InputError

ACCEPTED = (
    "a .npy file of uint8 images, a .npz file of one array, an IDX file, or pictures (PNG or JPEG, or WebP, GIF, "
    "BMP, TIFF, PNM), a folder of them, or a table (CSV, Parquet, tar)"
)

# The state of a file: its size in bytes, mtime and ctime in nanoseconds, and inode. No program can set ctime, so a file
# with the same state is the same file with the same content.
State = tuple[int, int, int, int]
# Except that a file that changes twice within one tick of the clock has the same times: what was found out about a file
# that is not older than this is not remembered.
MIN_AGE_NS = 2_000_000_000


@dataclass(frozen=True, eq=False)
class OpenFile:
    """An open file, closed when the object is deleted. Several threads may read at once.

    Attributes:
        path: the path that the user named; messages show it.
        descriptor: the open file, read by position only.
        state: the file's state when it was opened.
    """

    path: Path
    descriptor: int
    state: State

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self.descriptor)

    @property
    def size_bytes(self) -> int:
        """The size when it was opened."""
        return self.state[0]

    @property
    def mtime_ns(self) -> int:
        """The time of its last change when it was opened."""
        return self.state[1]

    @property
    def sha256(self) -> str:
        """A digest of the state."""
        return hashlib.sha256(repr(self.state).encode()).hexdigest()

    @property
    def name(self) -> str:
        """The path as messages show it."""
        return shown(self.path)

    def head(self, size_bytes: int) -> bytes:
        """The first bytes, fewer if the file is shorter. Raises: InputError."""
        content = bytearray(min(size_bytes, self.size_bytes))
        self.read_into(memoryview(content), 0)
        return bytes(content)

    def read_into(self, buffer: memoryview, offset_bytes: int) -> None:
        """Fills a buffer from an offset of the file. Raises: InputError: the file became shorter, or a read failed."""
        done = 0
        while done < len(buffer):
            try:
                read = os.preadv(self.descriptor, [buffer[done:]], offset_bytes + done)
            except OSError as error:
                raise unreadable_error(self.path, error) from error
            if not read:
                raise shorter_error(self.path)
            done += read

    def require_unchanged(self) -> None:
        """Refuses a file that was modified since it was opened. Raises: InputError."""
        if not same_content(state_of(os.fstat(self.descriptor)), self.state):
            raise changed_error(self.path)


def open_file(path: Path) -> OpenFile:
    """Opens a regular file. Raises: InputError: the file does not exist, is not readable, or is not a regular file."""
    return adopt(path, _open(path))


def adopt(path: Path, descriptor: int) -> OpenFile:
    """Takes over an open descriptor. Raises: InputError: it is not a regular file."""
    found = os.fstat(descriptor)
    file = OpenFile(path, descriptor, state_of(found))
    _require_regular(path, found)
    return file


def read_whole(path: str, expected: tuple[int, int], max_bytes: int) -> bytes:
    """Reads a small file that was found before. There may be a million of them, so this makes no OpenFile.

    Args:
        path: the file.
        expected: its size in bytes and its mtime in nanoseconds when it was found.
        max_bytes: the limit of its size.

    Raises: InputError: the file cannot be read, is not a regular file, was changed, or is larger than the limit.
    """
    descriptor = _open(path)
    try:
        found = os.fstat(descriptor)
        _require_regular(path, found)
        if (found.st_size, found.st_mtime_ns) != expected:
            raise changed_error(path)
        if found.st_size > max_bytes:
            raise InputError(f"{shown(path)} has {found.st_size:,} bytes, too many for a picture: resize it")
        content = os.read(descriptor, found.st_size)
        while len(content) < found.st_size:
            if not (more := os.read(descriptor, found.st_size - len(content))):
                raise shorter_error(path)
            content += more
    except OSError as error:
        raise unreadable_error(path, error) from error
    finally:
        os.close(descriptor)
    return content


def _open(path: str | os.PathLike[str]) -> int:
    try:
        # Opening a pipe without a writer would wait forever.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable_error(path, error) from error


def _require_regular(path: str | os.PathLike[str], found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise InputError(f"{shown(path)} is {kind}, not a file: give {ACCEPTED}")


def state_of(found: os.stat_result) -> State:
    """The state, which differs for any other file, and for the same file after a change."""
    # An inode may have 64 bits; numpy's int64 holds 63.
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & (1 << 63) - 1


def shows_changes(state: State, now_ns: int) -> bool:
    """Whether each change from now on, in nanoseconds since 1970, gives the file another state."""
    return max(state[1:3]) < now_ns - MIN_AGE_NS


def same_content(one: State, other: State) -> bool:
    """Whether the file was not modified; its permissions and names may have changed."""
    return one[:2] == other[:2]


def shown(path: str | os.PathLike[str]) -> str:
    r"""A path as text for messages and files: bytes that are not UTF-8 are written as \xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def unreadable_error(path: str | os.PathLike[str], error: OSError) -> InputError:
    """The error of a file that cannot be read."""
    advice = "give fewer files at once, or raise `ulimit -n`" if error.errno == errno.EMFILE else f"give {ACCEPTED}"
    return InputError(f"{shown(path)} cannot be read: {error.strerror}: {advice}")


def shorter_error(path: str | os.PathLike[str]) -> InputError:
    """The error of a file that was truncated while it was read."""
    return InputError(f"{shown(path)} became shorter while it was read: finish writing, then score again")


def changed_error(path: str | os.PathLike[str]) -> InputError:
    """The error of a file that changed while it was read."""
    return InputError(f"{shown(path)} was changed while it was read: finish writing, then score again")
