"""Files that are written completely or not at all, and their digests."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from serving.locks import NO_LOCKS

CHUNK_BYTES = 1 << 20
# These errors tell that a file is not there. All others tell nothing about it: it may be there, and intact.
GONE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
# The end of a staged file's name.
STAGED = ".new"
# The answers of file systems that cannot flush a folder.
NO_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EBADF})


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def entries(folder: Path) -> list[Path]:
    """The entries of a folder, sorted; none if it does not exist."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def size_bytes(path: Path) -> int:
    """The size of a file, or of all files in a folder together."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def canonical_json(value: Any) -> str:
    """JSON with sorted keys: equal values have equal bytes and equal digests."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes canonical JSON, flushed to the disk; the caller flushes the folder."""
    _write_flushed(path, canonical_json(value).encode())


def replace_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replaces a JSON file in one step: a reader sees the old content or the new content."""
    replace_text(path, canonical_json(value))


def replace_text(path: Path, text: str) -> None:
    """Replaces a file in one step: a reader, or a power failure, finds the old content or the new content."""
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """Replaces a file as `replace_text` does, and removes what killed processes left in its folder."""
    remove_abandoned(path.parent)
    with staged_file(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fsync_path(path.parent)


@contextmanager
def staged_file(path: Path) -> Iterator[IO[bytes]]:
    """A hidden file beside `path` that takes its place at the end of the block; after an exception it is removed."""
    with _naming(path), create_staged(path) as file:
        try:
            yield file
            file.flush()
            os.replace(file.name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise


def create_staged(path: Path) -> IO[bytes]:
    """Creates a hidden file beside `path`, and locks it until it is closed: a locked one is not abandoned."""
    while True:
        staged = _staged_name(path)
        file = staged.open("xb")
        if _lock_if_free(file.fileno()) is not False and is_at(file.fileno(), staged):
            return file
        # Another process took it for an abandoned one before it was locked.
        file.close()


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path`, for the block to fill and to move; what is left of it at the end is removed."""
    # Imported here: it would take a part of the time to score a small file.
    import shutil

    remove_abandoned(path.parent)
    staged, descriptor = _create_locked_folder(path)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Removes the staged files and folders in a folder whose processes died; without locks there, none."""
    with suppress(OSError):
        for entry in [entry for entry in os.scandir(folder) if is_staged(entry.name)]:
            descriptor = os.open(entry.path, os.O_RDONLY)
            try:
                if _lock_if_free(descriptor) and is_at(descriptor, Path(entry.path)):
                    _remove(entry)
            finally:
                os.close(descriptor)


def is_staged(name: str) -> bool:
    """Whether a name is that of a staged file or folder."""
    return re.fullmatch(rf"\..+\.[0-9a-f]{{16}}{re.escape(STAGED)}", name) is not None


def append_line(path: Path, line: str) -> None:
    """Adds a line to a file, flushed to the disk; an incomplete last line is removed first."""
    with _naming(path), path.open("a+b") as file:
        file.seek(0)
        complete = file.read().rfind(b"\n") + 1
        file.truncate(complete)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fsync_path(path.parent)


def fsync_path(path: Path) -> None:
    """Flushes a file, or a folder's entries: without this, a power failure can undo a rename."""
    with _naming(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            # Some file systems, of networks or of FUSE, flush files alone.
            if error.errno not in NO_FLUSH or not path.is_dir():
                raise
        finally:
            os.close(descriptor)


def raise_unless_gone(error: OSError) -> None:
    """For `os.walk`, which leaves out folders that it cannot read. Raises: OSError: the folder may be there."""
    if not isinstance(error, GONE):
        raise error


def fsync_tree(root: Path) -> None:
    """Flushes every file and folder below `root`, and `root` itself."""
    for folder, _, names in os.walk(root):
        for name in names:
            fsync_path(Path(folder) / name)
        fsync_path(Path(folder))


def is_at(descriptor: int, path: Path) -> bool:
    """Whether a path is that of an open file or folder."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _write_flushed(path: Path, content: bytes) -> None:
    with _naming(path), path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Adds the path to an OSError that has none: the system names no file in an error of a descriptor."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def _staged_name(path: Path) -> Path:
    """A name that no other process gives, on any machine: two containers have processes of the same number."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}{STAGED}")


def _create_locked_folder(path: Path) -> tuple[Path, int]:
    while True:
        staged = _staged_name(path)
        staged.mkdir()
        with suppress(FileNotFoundError):
            descriptor = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
            if _lock_if_free(descriptor) is not False and is_at(descriptor, staged):
                return staged, descriptor
            os.close(descriptor)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        import shutil

        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)


def _lock_if_free(descriptor: int) -> bool | None:
    """Locks an open file. Returns: False if another process holds the lock, None without locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        raise
    return True
