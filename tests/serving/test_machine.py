"""machine: processors and memory, by affinity and by control groups in folders laid out as Linux does."""

from __future__ import annotations

import os

import pytest

from serving import machine
from serving.machine import available_memory_bytes, available_processors, peak_memory_bytes, usable_processors

requires_affinity = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """Writes /proc and a tree of control groups; `limits` maps a group's path to its files, or to its cpu.max."""

    def write(limits, group="/", root="/", hybrid=False):
        proc, mounted = tmp_path / "proc", tmp_path / "a cgroup"
        (proc / "self").mkdir(parents=True)
        lines = ["4:memory:/elsewhere", "1:name=systemd:/x", f"0::{group}"] if hybrid else [f"0::{group}"]
        (proc / "self" / "cgroup").write_text("\n".join(lines) + "\n")
        (proc / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:    2048 kB\n")
        place = str(mounted).replace(" ", "\\040")
        (proc / "self" / "mountinfo").write_text(
            "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
            "26 22 0:25 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n"
            f"27 22 0:26 {root} {place} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
        )
        for name, files in limits.items():
            folder = mounted / name.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for file, text in ({"cpu.max": files} if isinstance(files, str) else files).items():
                (folder / file).write_text(text)
        return proc

    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    else:
        monkeypatch.setattr(os, "cpu_count", lambda: 64)
    return write


@pytest.mark.parametrize(
    ("limits", "group", "processors"),
    [
        ({"/": "max 100000\n"}, "/", 64),
        ({"/": "150000 100000\n"}, "/", 1.5),
        ({"/a/b": "50000 100000\n"}, "/a/b", 0.5),
        ({"/a": "200000 100000\n", "/a/b": "max 100000\n"}, "/a/b", 2.0),
        ({"/a": "200000 100000\n", "/a/b": "400000 100000\n"}, "/a/b", 2.0),
        ({"/a": "400000 100000\n", "/a/b": "30000 20000\n"}, "/a/b", 1.5),
        ({"/other": "100000 100000\n", "/a": "max 100000\n"}, "/a", 64),
        ({"/a": "nonsense\n"}, "/a", 64),
        ({"/a": ""}, "/a", 64),
        ({"/a": "100000 0\n"}, "/a", 64),
        ({}, "/a", 64),
    ],
)
@pytest.mark.parametrize("hybrid", [False, True])
def test_smallest_quota_of_the_group_and_its_parents_counts(linux, limits, group, processors, hybrid):
    assert available_processors(linux(limits, group, hybrid=hybrid)) == processors


def test_parents_end_at_the_group_that_is_mounted(linux):
    assert available_processors(linux({"/": "100000 100000\n"}, "/box/1", root="/box/1")) == 1.0


def test_system_without_control_groups_has_no_quota(linux, tmp_path):
    proc = linux({})
    (proc / "self" / "cgroup").write_text("1:cpu:/\n")
    (proc / "self" / "mountinfo").write_text("22 1 254:0 / / rw - ext4 /dev/root rw\n")
    assert available_processors(proc) == 64
    assert available_processors(tmp_path / "nothing") == 64


@requires_affinity
@pytest.mark.parametrize(
    ("allowed", "quota", "usable"),
    [(3, None, 3), (3, 2.0, 2), (3, 1.5, 2), (3, 0.1, 1), (3, 0.0, 1), (3, 64.0, 3), (1, None, 1)],
)
def test_usable_processors_round_the_quota_up_within_the_affinity(monkeypatch, allowed, quota, usable):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(allowed)))
    monkeypatch.setattr(machine, "_groups", lambda proc: ["group"])
    monkeypatch.setattr(machine, "_quota", lambda group: quota)
    assert usable_processors() == usable


@requires_affinity
def test_affinity_limits_the_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    assert available_processors() <= 1


def test_available_memory_is_in_bytes(linux):
    assert available_memory_bytes(linux({})) == 2048 * 1024


def test_available_memory_is_unknown_without_a_figure_of_the_system(linux):
    proc = linux({})
    (proc / "meminfo").write_text("MemTotal:  9 kB\n")
    assert available_memory_bytes(proc) is None
    (proc / "meminfo").unlink()
    assert available_memory_bytes(proc) is None


@pytest.mark.parametrize(
    ("limit", "used", "available"),
    [
        ("1000000\n", "400000\n", 600_000),
        ("max\n", "400000\n", 2048 * 1024),
        ("99000000\n", "0\n", 2048 * 1024),
        ("1000000\n", "1000001\n", 0),
    ],
)
def test_memory_of_a_group_counts_if_it_is_less(linux, limit, used, available):
    proc = linux({"/slice": {"memory.max": limit, "memory.current": used}, "/slice/job": {}}, "/slice/job")
    assert available_memory_bytes(proc) == available


def test_peak_memory_is_read_from_the_kernel_and_otherwise_from_getrusage(tmp_path):
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "status").write_text("VmPeak:\t  9 kB\nVmHWM:\t  2048 kB\n")
    assert peak_memory_bytes(tmp_path) == 2048 * 1024
    assert 10e6 < peak_memory_bytes(tmp_path / "nothing") < 1e11
