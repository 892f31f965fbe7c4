"""machine: what affinity and control groups leave to this process."""

from __future__ import annotations

import os

import pytest

from pipeline import machine
from pipeline.machine import available_bytes, cpu_quota, memory_bytes, processors


@pytest.mark.parametrize(
    ("text", "quota"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("", None), ("nonsense", None), ("100000 0", None)],
)
def test_quota_is_the_share_of_the_period(text, quota):
    assert cpu_quota(text) == quota


def test_available_memory_is_read_in_bytes():
    assert available_bytes("MemTotal:  9 kB\nMemAvailable:    2048 kB\n") == 2048 * 1024
    assert available_bytes("MemTotal:  9 kB\n") is None


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A control group two levels deep, which this process is said to be in."""
    folder = tmp_path / "slice" / "job"
    folder.mkdir(parents=True)
    real = machine._read

    def read(file):
        return "0::/slice/job\n" if str(file) == "/proc/self/cgroup" else real(file)

    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "_read", read)
    return folder


def test_smallest_quota_above_counts(group):
    (group / "cpu.max").write_text("max 100000\n")
    (group.parent / "cpu.max").write_text("50000 100000\n")
    assert processors() == (os.cpu_count(), 0.5)


def test_memory_of_the_group_counts_where_it_is_less(group):
    (group / "memory.max").write_text("1000000\n")
    (group / "memory.current").write_text("400000\n")
    assert memory_bytes() == 600_000
    (group / "memory.max").write_text("max\n")
    assert memory_bytes() > 600_000


def test_affinity_limits_the_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert processors()[1] <= 1
