"""This process -> how many processors it may really use: those of its affinity, and what its control groups grant."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self")


def usable_processors() -> int:
    """The processors that this process may run on, or fewer where a quota of time grants less; at least 1."""
    quota = granted_processors()
    # macOS has no affinity.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def granted_processors(proc: Path = PROC) -> float | None:
    """The quota of processor time of this process's control groups (version 2), in processors; None without one.

    The smallest of the group's own and all groups' around it, of which each limits what is below.

    Args:
        proc: this process's folder of procfs.
    """
    try:
        groups = (proc / "cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (proc / "mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    # The line of version 2 is the one whose hierarchy has the number 0 and no controllers' names.
    group = next((PurePosixPath(line[3:]) for line in groups if line.startswith("0::/")), None)
    mount = next((mount for mount in map(_cgroup2_mount, mounts) if mount is not None), None)
    if group is None or mount is None:
        return None
    root, place = mount
    inner = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
    folders = [place / inner, *(place / parent for parent in inner.parents)]
    return min((quota for quota in map(_quota, folders) if quota is not None), default=None)


def _cgroup2_mount(line: str) -> tuple[PurePosixPath, Path] | None:
    """The group that stands at the mount's root, and where it is mounted; None of another kind of file system."""
    mount, _, system = line.partition(" - ")
    if system.split(" ")[0] != "cgroup2":
        return None
    root, place = mount.split(" ")[3:5]
    # The kernel writes blanks in names as \040.
    return PurePosixPath(root.replace("\\040", " ")), Path(place.replace("\\040", " "))


def _quota(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
