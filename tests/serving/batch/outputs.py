"""Outputs for the tests: written, stopped and resumed."""

from __future__ import annotations

import pytest

from serving.batch.output import Output

DEPENDENCIES = {"bundle_sha256": "ab", "rows": 6}
BLOCKS = [b"first\n", b"second\n", b"third\n"]
WHOLE = b"header\n" + b"".join(BLOCKS)
STAGED, JOURNAL = ".out.csv.staged", ".out.csv.journal"


def unconverted(written, finished):
    return written


def no_earlier_output():
    """The digest of the output that is replaced: None."""


def write(output, blocks=BLOCKS, first=0):
    for number, content in enumerate(blocks, start=first):
        output.write(content, 2 * number + 2, {"number": number})


def save(target, blocks=BLOCKS, dependencies=DEPENDENCIES, replaced=None, **metadata):
    with Output(target, dependencies) as output:
        output.begin(b"header\n")
        write(output, blocks)
        output.commit(metadata, unconverted, lambda: replaced)


def stop_after(target, blocks, dependencies=DEPENDENCIES, error=KeyboardInterrupt):
    """Leaves the output as a process that is stopped after some blocks. Returns: the exception."""
    with pytest.raises(error) as caught, Output(target, dependencies) as output:  # noqa: PT012
        output.begin(b"header\n")
        write(output, blocks)
        raise error
    return caught.value


def resume(target, dependencies=DEPENDENCIES):
    """Resumes, writes the missing blocks, and commits. Returns: the number of kept blocks."""
    with Output(target, dependencies) as output:
        entries = output.resume()
        if not entries:
            output.begin(b"header\n")
        write(output, BLOCKS[len(entries) :], len(entries))
        output.commit({}, unconverted, no_earlier_output)
    return len(entries)


def names(folder):
    return sorted(path.name for path in folder.iterdir())
