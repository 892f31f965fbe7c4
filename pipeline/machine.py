"""What this process may use of the machine: processors and memory, as affinity and control groups leave them."""

from __future__ import annotations

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def processors() -> tuple[int, float]:
    """How many processors the machine has, and how many this process may use, which a quota can make a fraction."""
    here = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else here
    quotas = [quota for group in _groups() if (quota := cpu_quota(_read(group / "cpu.max"))) is not None]
    return here, min([float(allowed), *quotas])


def memory_bytes() -> int | None:
    """Memory that this process may still take: what is available, or less where a control group allows less.

    None where the system does not say, as macOS.
    """
    available = available_bytes(_read(Path("/proc/meminfo")))
    if available is None:
        return None
    limits = [room for group in _groups() if (room := _room(group)) is not None]
    return min([available, *limits])


def cpu_quota(text: str) -> float | None:
    """Processors that a `cpu.max` allows, e.g. 1.5 for `150000 100000`; None for `max` and for what is none."""
    match text.split():
        case [quota, period] if quota.isdigit() and period.isdigit() and int(period) > 0:
            return int(quota) / int(period)
    return None


def available_bytes(meminfo: str) -> int | None:
    """MemAvailable of /proc/meminfo, in bytes."""
    for line in meminfo.splitlines():
        match line.split():
            case ["MemAvailable:", kibibytes, "kB"] if kibibytes.isdigit():
                return int(kibibytes) * 1024
    return None


def _room(group: Path) -> int | None:
    limit, used = (_read(group / name).strip() for name in ("memory.max", "memory.current"))
    return max(0, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else None


def _groups() -> list[Path]:
    """The folder of this process's control group (version 2) and those above it, each of which can set a limit."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        if line.startswith("0::/"):
            path = CGROUPS / line[4:]
            return [folder for folder in (path, *path.parents) if folder.is_relative_to(CGROUPS)]
    return []


def _read(file: Path) -> str:
    """The text of a file of the system; empty where there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
