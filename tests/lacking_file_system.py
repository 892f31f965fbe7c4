"""A file system that lacks locks, hard links, memory maps and the flushing of folders, with one answer to all of them.

As a program, `python -c` runs this text with the number of the answer, a module and its arguments.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import runpy
import stat
import sys


def refuse_calls(number: int, replace=setattr) -> None:
    """Replaces the calls; `replace` is `setattr`, or that of a monkeypatch."""
    fsync, mapping = os.fsync, mmap.mmap

    def fail(*arguments, **named):
        raise OSError(number, os.strerror(number))

    def flush_files_alone(descriptor):
        mode = os.fstat(descriptor if isinstance(descriptor, int) else descriptor.fileno()).st_mode
        return fail() if stat.S_ISDIR(mode) else fsync(descriptor)

    class MemoryAlone(mapping):
        def __new__(cls, descriptor, *arguments, **named):
            return mapping(descriptor, *arguments, **named) if descriptor == -1 else fail()

    for module, name, function in (
        (os, "link", fail),
        (fcntl, "flock", fail),
        (os, "fsync", flush_files_alone),
        (mmap, "mmap", MemoryAlone),
    ):
        replace(module, name, function)


if __name__ == "__main__":
    refuse_calls(int(sys.argv.pop(1)))
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
