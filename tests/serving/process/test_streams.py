"""streams: printing never fails; no file gets the number of a closed stream, and what was dropped is known."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# Writes to each stream, by Python and as a C library does, while a file is open.
PROGRAM = """
import os, sys
from serving.process.streams import prepare_streams
prepare_streams()
with open("file", "w") as file:
    print("printed", flush=True)
    print("error", file=sys.stderr, flush=True)
    os.write(1, b"written")
    os.write(2, b"written")
    sys.stdin.read()
    file.write("content")
    assert file.fileno() > 2
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_closed_streams_lead_nowhere(tmp_path, closed):
    redirected = " ".join(f"{number}>&-" if number else "<&-" for number in closed)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", f'exec "$0" -c "$1" {redirected}', sys.executable, PROGRAM]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == "content"
    assert done.stdout == ("" if 1 in closed else "printed\nwritten")
    assert done.stderr == ("" if 2 in closed else "error\nwritten")


# Prints on a stream that does not take everything, and shows on the other one what was dropped and why.
PRINTING = """
import os, sys
from serving.process.streams import output_failure, prepare_streams
prepare_streams()
print("first", "\\udcff", "雪", "x" * 100_000)
print("second", flush=True)
print(output_failure(), file=sys.stderr)
"""


def printing(stdout, **environment) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-c", PRINTING]
    return subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, check=False)


def test_what_a_full_disk_does_not_take_is_dropped_and_known():
    with open("/dev/full", "wb") as full:
        done = printing(full)
    assert (done.returncode, done.stderr) == (0, b"[Errno 28] No space left on device\n")


def test_reader_that_wants_no_more_is_no_failure():
    reader, writer = os.pipe()
    os.close(reader)
    done = printing(writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"None\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_slow_reader_of_a_pipe_that_does_not_block_gets_everything(unbuffered):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-c", PRINTING]
    with subprocess.Popen(command, env=environment, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        with open(reader, "rb") as read:
            printed = read.read()
        assert process.stderr.read() == b"None\n"
    assert printed.endswith(b"x" * 100_000 + b"\nsecond\n")


@pytest.mark.parametrize(("encoding", "printed"), [("utf-8", "\\udcff 雪"), ("ascii", "\\udcff \\u96ea")])
def test_characters_that_the_encoding_does_not_have_are_escaped(encoding, printed):
    done = printing(subprocess.PIPE, PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert done.stdout.decode().startswith(f"first {printed} xxx")
