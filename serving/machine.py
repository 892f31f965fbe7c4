"""This process -> the processors and the memory that it may use, and the memory that it has used."""

from __future__ import annotations

import math
import os
import re
import sys
from pathlib import Path, PurePosixPath

# Where procfs is mounted.
PROC = Path("/proc")


def usable_processors() -> int:
    """The number of threads that can run at once: `available_processors`, rounded up."""
    return max(1, math.ceil(available_processors()))


def available_processors(proc: Path = PROC) -> float:
    """The processors of this process's affinity, or fewer if its control groups set a quota: a fraction is possible."""
    # macOS has no affinity.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([float(allowed), *(quota for group in _groups(proc) if (quota := _quota(group)) is not None)])


def available_memory_bytes(proc: Path = PROC) -> int | None:
    """The memory that is free, or less if a control group of this process allows less; None if unknown, as on macOS."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _read(proc / "meminfo"), re.MULTILINE)
    if found is None:
        return None
    return min([int(found[1]) * 1024, *(room for group in _groups(proc) if (room := _room(group)) is not None)])


def peak_memory_bytes(proc: Path = PROC) -> int:
    """The largest resident memory of this program so far.

    Linux's getrusage also counts the memory of the parent process that was copied to start this program.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB$", _read(proc / "self" / "status"), re.MULTILINE)
    if found is not None:
        return int(found[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _groups(proc: Path) -> list[Path]:
    """The folders of this process's control group (version 2) and of the groups above it: each can set a limit."""
    # The line of version 2 has the hierarchy number 0 and no controller names.
    lines = _read(proc / "self" / "cgroup").splitlines()
    group = next((PurePosixPath(line[3:]) for line in lines if line.startswith("0::/")), None)
    mounts = map(_cgroup2_mount, _read(proc / "self" / "mountinfo").splitlines())
    mount = next((mount for mount in mounts if mount is not None), None)
    if group is None or mount is None:
        return []
    root, place = mount
    inner = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
    return [place / inner, *(place / parent for parent in inner.parents)]


def _cgroup2_mount(line: str) -> tuple[PurePosixPath, Path] | None:
    """The control group at the root of a mount, and the mount point; None if this is another kind of file system."""
    mount, _, system = line.partition(" - ")
    if system.split(" ")[0] != "cgroup2":
        return None
    root, place = mount.split(" ")[3:5]
    # The kernel writes spaces in names as \040.
    return PurePosixPath(root.replace("\\040", " ")), Path(place.replace("\\040", " "))


def _quota(group: Path) -> float | None:
    match _read(group / "cpu.max").split():
        case [quota, period] if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            return int(quota) / int(period)
    return None


def _room(group: Path) -> int | None:
    limit, used = (_read(group / name).strip() for name in ("memory.max", "memory.current"))
    return max(0, int(limit) - int(used)) if limit.isdecimal() and used.isdecimal() else None


def _read(file: Path) -> str:
    """The text of a file of the kernel; empty if the file does not exist."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
