"""output: locks, full disks, interrupts and kills leave no mixed or damaged output."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from serving.batch.output import Output
from serving.errors import BeamlineError, InputError
from tests.conftest import ROOT, interrupted_at
from tests.serving.batch.outputs import (
    BLOCKS,
    DEPENDENCIES,
    JOURNAL,
    STAGED,
    WHOLE,
    names,
    no_earlier_output,
    resume,
    unconverted,
    write,
)


def test_two_processes_never_write_one_output(target):
    with Output(target, DEPENDENCIES) as output:
        output.begin(b"header\n")
        code = (
            "import sys; from pathlib import Path; from serving.batch.output import Output; "
            "Output(Path(sys.argv[1]), {})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, target], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
        )
        assert "is being written by another process" in done.stderr
        write(output)
        output.commit({}, unconverted, no_earlier_output)
    assert target.read_bytes() == WHOLE


def test_lock_on_a_removed_journal_is_not_a_lock(target, monkeypatch):
    """Another process removes the journal after we open it and before we lock it."""
    held = fcntl.flock
    taken = []

    def remove_first(file, how):
        if not taken:
            target.with_name(JOURNAL).unlink()
        taken.append(file)
        held(file, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with Output(target, DEPENDENCIES), pytest.raises(InputError, match="another process"):
        Output(target, DEPENDENCIES)
    assert len(taken) == 3


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from serving.batch.output import Output
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
with Output(Path(sys.argv[1]), {}) as output:
    output.begin(b"header")
    for number in range(100):
        output.write(bytes(100), number, {})
    output.commit({"long": "x" * 5000}, lambda written, finished: written, lambda: None)
"""


@pytest.mark.parametrize("limit", [0, 3, 10, 500, 9000, 10_500])
def test_full_disk_is_reported_and_leaves_no_files(target, limit):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, target, str(limit)],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert "InputError: " in done.stderr
    assert "cannot be written: File too large: give another path" in done.stderr
    assert names(target.parent) == []


@pytest.mark.parametrize("call", ["fsync", "unlink"])
def test_failure_after_the_predictions_are_in_place_says_that_they_are_complete(target, monkeypatch, call):
    real = getattr(os, call)

    def fail(given, **named):
        if target.exists():
            raise OSError(errno.EIO, "Input/output error", str(given))
        return real(given, **named)

    monkeypatch.setattr(os, call, fail)
    complete = pytest.raises(BeamlineError, match=r"out\.csv is complete, but .*: Input/output error")
    with complete as caught, Output(target, DEPENDENCIES) as output:
        output.begin(b"header\n")
        write(output)
        output.commit({}, unconverted, no_earlier_output)
    assert caught.value.exit_code == 1
    assert target.read_bytes() == WHOLE
    sidecar = json.loads(target.with_name("out.csv.json").read_text())
    assert sidecar["output_sha256"] == hashlib.sha256(WHOLE).hexdigest()


def test_failure_to_remove_the_staged_file_does_not_hide_the_error(target, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.EIO, "Input/output error", "a file")

    monkeypatch.setattr(os, "unlink", fail)
    with pytest.raises(InputError, match="mine"), Output(target, DEPENDENCIES):
        raise InputError("mine")


@pytest.mark.usefixtures("handled_signals")
# A file that is open at the interrupt, before its `with` block, is closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_commit_interrupted_at_any_call_leaves_two_files_of_one_commit_or_can_be_resumed(target):
    sidecar = target.with_name("out.csv.json")

    def commit(blocks):
        with suppress(KeyboardInterrupt), Output(target, DEPENDENCIES) as output:
            output.begin(b"header\n")
            write(output, blocks)
            if interrupted_at(nth, lambda: output.commit({}, unconverted, no_earlier_output)):
                raise KeyboardInterrupt
            return False
        return True

    for nth in itertools.count(1):
        blocks = BLOCKS[: 1 + nth % 2]
        interrupted = commit(blocks)
        left = names(target.parent)
        kept = left == [JOURNAL, STAGED]
        assert kept or left == [target.name, sidecar.name], nth
        if kept:
            assert resume(target) == len(blocks), nth
        else:
            sidecar_data = json.loads(sidecar.read_text())["output_sha256"]
            assert sidecar_data == hashlib.sha256(target.read_bytes()).hexdigest(), nth
        if not interrupted:
            break
        for path in (target, sidecar):
            path.unlink()
    assert nth > 20


KILLED = """
import os, signal, sys
from pathlib import Path
from serving.batch.output import Output

calls = 0

def count(frame, event, argument):
    global calls
    if event in ("call", "c_call"):
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(count)
with Output(Path(sys.argv[1]), {"bundle_sha256": "ab", "rows": 6}) as output:
    entries = output.resume()
    if not entries:
        output.begin(b"header\\n")
    for number in range(len(entries), 3):
        output.write([b"first\\n", b"second\\n", b"third\\n"][number], 2 * number + 2, {})
    output.commit({}, lambda written, finished: written, lambda: None)
"""


@pytest.mark.exhaustive
def test_kill_at_any_call_is_resumed(target):
    for nth in itertools.count(1, 3):
        done = subprocess.run([sys.executable, "-c", KILLED, target, str(nth)], cwd=ROOT, timeout=600, check=False)
        assert done.returncode in (0, -signal.SIGKILL)
        if target.exists() and not target.with_name(JOURNAL).exists():
            assert target.read_bytes() == WHOLE
        resume(target)
        assert target.read_bytes() == WHOLE
        assert names(target.parent) == ["out.csv", "out.csv.json"]
        for path in (target, target.with_name("out.csv.json")):
            path.unlink()
        if not done.returncode:
            break
    assert nth > 200
