"""output: in place whole, or not at all; what a stopped process left is gone on with or made anew, never mixed up."""

from __future__ import annotations

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

from serving.errors import InputError
from serving.output import Output
from tests.conftest import ROOT, interrupted_at

KEY = {"bundle_sha256": "ab", "rows": 6}
BLOCKS = [b"first\n", b"second\n", b"third\n"]
WHOLE = b"header\n" + b"".join(BLOCKS)
STAGED, JOURNAL = ".out.csv.staged", ".out.csv.journal"


def as_it_is(written, finished):
    return written


def nothing():
    """What stands at the target and is ours."""


def write(output, blocks=BLOCKS, first=0):
    for number, content in enumerate(blocks, start=first):
        output.write(content, 2 * number + 2, {"number": number})


def save(target, blocks=BLOCKS, key=KEY, replaced=None, **facts):
    with Output(target, key) as output:
        output.begin(b"header\n")
        write(output, blocks)
        output.commit(facts, as_it_is, lambda: replaced)


def stop_after(target, blocks, key=KEY, error=KeyboardInterrupt):
    """Leaves the output as a process does that is told to stop after some blocks. Returns: what stopped it."""
    with pytest.raises(error) as caught, Output(target, key) as output:  # noqa: PT012
        output.begin(b"header\n")
        write(output, blocks)
        raise error
    return caught.value


def go_on(target, key=KEY):
    """Goes on, writes what is missing, and commits. Returns: how many blocks were there."""
    with Output(target, key) as output:
        entries = output.resume()
        if not entries:
            output.begin(b"header\n")
        write(output, BLOCKS[len(entries) :], len(entries))
        output.commit({}, as_it_is, nothing)
    return len(entries)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out.csv"


def test_committed_output_stands_with_a_sidecar_of_the_facts_and_its_digest(target):
    save(target, model="tiny", rows=6)
    assert target.read_bytes() == WHOLE
    said = json.loads(target.with_name("out.csv.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(WHOLE).hexdigest()
    assert said == {"model": "tiny", "rows": 6, "output_sha256": digest, "replaces_sha256": None}
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_next_commit_says_what_it_replaces(target):
    save(target)
    save(target, BLOCKS[:1], replaced=hashlib.sha256(WHOLE).hexdigest())
    said = json.loads(target.with_name("out.csv.json").read_text(encoding="utf-8"))
    assert said["replaces_sha256"] == hashlib.sha256(WHOLE).hexdigest()
    assert said["output_sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()


def test_file_that_is_made_of_what_was_written_is_the_output(target):
    def backwards(written, finished):
        finished.write_bytes(written.read_bytes()[::-1])
        return finished

    with Output(target, KEY) as output:
        output.begin(b"header\n")
        write(output)
        output.commit({}, backwards, nothing)
    assert target.read_bytes() == WHOLE[::-1]
    said = json.loads(target.with_name("out.csv.json").read_text(encoding="utf-8"))
    assert said["output_sha256"] == hashlib.sha256(WHOLE[::-1]).hexdigest()
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_target_stays_as_it_is_until_the_commit(target):
    target.write_text("last night's")
    with Output(target, KEY) as output:
        output.begin(b"header\n")
        write(output)
        assert target.read_text() == "last night's"
        output.commit({}, as_it_is, nothing)
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("error", [RuntimeError, OSError, InputError])
def test_failure_leaves_nothing(target, error):
    stop_after(target, BLOCKS, error=error)
    assert names(target.parent) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_stop_before_the_first_block_leaves_nothing(target, error):
    stop_after(target, [], error=error)
    assert names(target.parent) == []


def test_leaving_without_a_commit_leaves_nothing(target):
    with Output(target, KEY) as output:
        output.begin(b"header\n")
        write(output)
    assert names(target.parent) == []


@pytest.mark.parametrize("written", [1, 2, 3])
def test_stop_after_a_block_is_gone_on_with(target, written):
    stop_after(target, BLOCKS[:written])
    assert names(target.parent) == [JOURNAL, STAGED]
    assert go_on(target) == written
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_stop_says_how_to_go_on(target):
    stop = stop_after(target, BLOCKS[:2])
    assert stop.__notes__ == ["the first 4 images are kept: go on with --resume"]


def test_entries_that_were_kept_are_given_back(target):
    stop_after(target, BLOCKS[:2])
    with Output(target, KEY) as output:
        entries = output.resume()
    assert [(entry.stop, entry.end_bytes, entry.tally) for entry in entries] == [
        (2, 13, {"number": 0}),
        (4, 20, {"number": 1}),
    ]


def test_failure_after_going_on_leaves_what_was_there_before(target):
    stop_after(target, BLOCKS[:2])
    with pytest.raises(RuntimeError), Output(target, KEY) as output:  # noqa: PT012
        output.resume()
        raise RuntimeError
    assert go_on(target) == 2
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("other", [{**KEY, "rows": 7}, {"rows": 6}, {}, {**KEY, "more": 1}])
def test_work_of_another_key_is_discarded(target, other):
    stop_after(target, [b"other\n", b"work\n"], key=other)
    assert go_on(target) == 0
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("kept", range(len(WHOLE)))
def test_staged_file_that_lost_its_end_is_taken_as_far_as_it_goes(target, kept):
    stop_after(target, BLOCKS)
    os.truncate(target.with_name(STAGED), kept)
    assert go_on(target) == sum(kept >= end for end in (13, 20, 26))
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("place", range(len(WHOLE)))
def test_staged_file_that_was_changed_is_taken_up_to_the_change(target, place):
    stop_after(target, BLOCKS)
    content = bytearray(WHOLE)
    content[place] ^= 1
    target.with_name(STAGED).write_bytes(content)
    assert go_on(target) == sum(place >= end for end in (13, 20, 26))
    assert target.read_bytes() == WHOLE


def test_any_end_of_the_journal_and_any_longer_staged_file_are_gone_on_with(target):
    stop_after(target, BLOCKS)
    journal = target.with_name(JOURNAL).read_bytes()
    for length in range(len(journal) + 1):
        target.with_name(STAGED).write_bytes(WHOLE + b"half a bl")
        target.with_name(JOURNAL).write_bytes(journal[:length])
        assert go_on(target) == max(0, journal[:length].count(b"\n") - 1)
        assert target.read_bytes() == WHOLE


def test_stop_while_going_on_is_gone_on_with_again(target):
    stop_after(target, BLOCKS[:1])
    for written in (1, 2):
        with pytest.raises(KeyboardInterrupt), Output(target, KEY) as output:  # noqa: PT012
            assert len(output.resume()) == written
            write(output, [BLOCKS[written]], written)
            raise KeyboardInterrupt
    assert go_on(target) == 3
    assert target.read_bytes() == WHOLE


def test_beginning_anew_discards_what_was_kept(target):
    stop_after(target, [b"old\n", b"older\n"])
    save(target)
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_two_processes_never_write_one_output(target):
    with Output(target, KEY) as output:
        output.begin(b"header\n")
        code = "import sys; from pathlib import Path; from serving.output import Output; Output(Path(sys.argv[1]), {})"
        done = subprocess.run(
            [sys.executable, "-c", code, target], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
        )
        assert "is being written by another process" in done.stderr
        write(output)
        output.commit({}, as_it_is, nothing)
    assert target.read_bytes() == WHOLE


def test_lock_on_a_journal_that_is_gone_is_no_lock(target, monkeypatch):
    """The one who held it removes it between our opening it and our lock."""
    held = fcntl.flock
    taken = []

    def removed_meanwhile(file, how):
        if not taken:
            target.with_name(JOURNAL).unlink()
        taken.append(file)
        held(file, how)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    with Output(target, KEY), pytest.raises(InputError, match="another process"):
        Output(target, KEY)
    assert len(taken) == 3


@pytest.mark.parametrize("name", ["nowhere/out.csv", "file/out.csv"])
def test_folder_that_is_none_is_refused_with_what_to_do(tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"cannot be written: .*--out FILE"):
        Output(tmp_path / name, KEY)


@pytest.mark.parametrize("refused", ["out.csv.json", "out.csv"])
def test_failed_commit_leaves_last_nights_output_and_nothing_else(target, monkeypatch, refused):
    save(target)
    rename = os.replace

    def fail(source, where):
        if os.path.basename(where) == refused:
            raise OSError("no rename")
        rename(source, where)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no rename"):
        save(target, BLOCKS[:1])
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == ["out.csv", "out.csv.json"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from serving.output import Output
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
with Output(Path(sys.argv[1]), {}) as output:
    output.begin(b"header")
    for number in range(100):
        output.write(bytes(100), number, {})
    output.commit({"long": "x" * 5000}, lambda written, finished: written, lambda: None)
"""


@pytest.mark.parametrize("limit", [0, 3, 10, 500, 9000, 10_500])
def test_full_disk_is_told_and_nothing_is_left(target, limit):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, target, str(limit)],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert "InputError: " in done.stderr
    assert "cannot be written: File too large: free some space, or give another place with --out FILE" in done.stderr
    assert names(target.parent) == []


@pytest.mark.usefixtures("handled_signals")
# Between the opening of a file and the block that closes it, the garbage collector is left to close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_commit_that_is_interrupted_anywhere_leaves_two_files_of_one_commit_and_can_be_gone_on_with(target):
    sidecar = target.with_name("out.csv.json")

    def commit(blocks):
        with suppress(KeyboardInterrupt), Output(target, KEY) as output:
            output.begin(b"header\n")
            write(output, blocks)
            if interrupted_at(nth, lambda: output.commit({}, as_it_is, nothing)):
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
            assert go_on(target) == len(blocks), nth
        else:
            said = json.loads(sidecar.read_text())["output_sha256"]
            assert said == hashlib.sha256(target.read_bytes()).hexdigest(), nth
        if not interrupted:
            break
        for path in (target, sidecar):
            path.unlink()
    assert nth > 20


KILLED = """
import os, signal, sys
from pathlib import Path
from serving.output import Output

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
def test_kill_at_any_call_is_gone_on_with(target):
    for nth in itertools.count(1, 3):
        done = subprocess.run([sys.executable, "-c", KILLED, target, str(nth)], cwd=ROOT, timeout=600, check=False)
        assert done.returncode in (0, -signal.SIGKILL)
        if target.exists() and not target.with_name(JOURNAL).exists():
            assert target.read_bytes() == WHOLE
        go_on(target)
        assert target.read_bytes() == WHOLE
        assert names(target.parent) == ["out.csv", "out.csv.json"]
        for path in (target, target.with_name("out.csv.json")):
            path.unlink()
        if not done.returncode:
            break
    assert nth > 200


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_stop_before_it_is_known_what_is_there_keeps_it(target, error):
    stop_after(target, BLOCKS[:2])
    with pytest.raises(error), Output(target, KEY):
        raise error
    assert go_on(target) == 2
    assert target.read_bytes() == WHOLE


def test_what_comes_to_stand_at_the_target_meanwhile_is_not_written_over(target):
    def refuse():
        assert target.read_text() == "mine"
        raise InputError("mine")

    with pytest.raises(InputError, match="mine"), Output(target, KEY) as output:  # noqa: PT012
        output.begin(b"header\n")
        write(output)
        target.write_text("mine")
        output.commit({}, as_it_is, refuse)
    assert target.read_text() == "mine"
    assert names(target.parent) == ["out.csv"]


def test_stop_after_the_commit_says_that_all_is_there_and_leaves_the_next_one_alone(target):
    with pytest.raises(KeyboardInterrupt) as caught, Output(target, KEY) as output:  # noqa: PT012
        output.begin(b"header\n")
        write(output)
        output.commit({}, as_it_is, nothing)
        following = Output(target, KEY)
        following.begin(b"header\n")
        raise KeyboardInterrupt
    assert caught.value.__notes__ == [f"{target} is whole"]
    with following:
        write(following)
        following.commit({}, as_it_is, nothing)
    assert target.read_bytes() == WHOLE


def test_place_that_cannot_be_staged_in_is_left_as_it_was(target):
    target.with_name(STAGED).mkdir()
    with pytest.raises(InputError, match=r"cannot be written: .*--out FILE"):
        Output(target, KEY)
    assert names(target.parent) == [STAGED]


def test_what_differs_from_an_earlier_run_is_named(target):
    stop_after(target, BLOCKS[:1], key={**KEY, "rows": 7, "more": 1})
    with Output(target, KEY) as output:
        assert (output.resume(), output.differing) == ([], ["more", "rows"])
    with Output(target.with_name("new.csv"), KEY) as output:
        assert (output.resume(), output.differing) == ([], [])
