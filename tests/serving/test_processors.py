"""processors: affinity and control groups, the latter in folders made as Linux makes them."""

from __future__ import annotations

import os

import pytest

from serving import processors
from serving.processors import granted_processors, usable_processors


@pytest.fixture
def linux(tmp_path):
    """Makes /proc/self and a tree of control groups, by the path of each group what its cpu.max says."""

    def make(limits, group="/", root="/", hybrid=False):
        proc, mounted = tmp_path / "proc", tmp_path / "a cgroup"
        proc.mkdir()
        lines = ["4:memory:/elsewhere", "1:name=systemd:/x", f"0::{group}"] if hybrid else [f"0::{group}"]
        (proc / "cgroup").write_text("\n".join(lines) + "\n")
        place = str(mounted).replace(" ", "\\040")
        (proc / "mountinfo").write_text(
            "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
            "26 22 0:25 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n"
            f"27 22 0:26 {root} {place} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
        )
        for name, text in limits.items():
            folder = mounted / name.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cpu.max").write_text(text)
        return proc

    return make


@pytest.mark.parametrize(
    ("limits", "group", "quota"),
    [
        ({"/": "max 100000\n"}, "/", None),
        ({"/": "150000 100000\n"}, "/", 1.5),
        ({"/a/b": "50000 100000\n"}, "/a/b", 0.5),
        ({"/a": "200000 100000\n", "/a/b": "max 100000\n"}, "/a/b", 2.0),
        ({"/a": "200000 100000\n", "/a/b": "400000 100000\n"}, "/a/b", 2.0),
        ({"/a": "400000 100000\n", "/a/b": "30000 20000\n"}, "/a/b", 1.5),
        ({"/other": "100000 100000\n", "/a": "max 100000\n"}, "/a", None),
        ({"/a": "nonsense\n"}, "/a", None),
        ({"/a": "100000 0\n"}, "/a", None),
        ({}, "/a", None),
    ],
)
@pytest.mark.parametrize("hybrid", [False, True])
def test_quota_is_the_smallest_on_the_way_up(linux, limits, group, quota, hybrid):
    assert granted_processors(linux(limits, group, hybrid=hybrid)) == quota


def test_group_that_is_mounted_at_the_root_is_where_the_way_up_ends(linux):
    assert granted_processors(linux({"/": "100000 100000\n"}, "/box/1", root="/box/1")) == 1.0


def test_system_without_control_groups_grants_everything(tmp_path):
    assert granted_processors(tmp_path) is None
    (tmp_path / "cgroup").write_text("1:cpu:/\n")
    (tmp_path / "mountinfo").write_text("22 1 254:0 / / rw - ext4 /dev/root rw\n")
    assert granted_processors(tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not say which processors are ours")
@pytest.mark.parametrize(
    ("allowed", "quota", "usable"),
    [(3, None, 3), (3, 2.0, 2), (3, 1.5, 2), (3, 0.1, 1), (3, 0.0, 1), (3, 64.0, 3), (1, None, 1)],
)
def test_threads_are_the_processors_that_are_ours_for_as_long_as_they_are(monkeypatch, allowed, quota, usable):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(allowed)))
    monkeypatch.setattr(processors, "granted_processors", lambda: quota)
    assert usable_processors() == usable
