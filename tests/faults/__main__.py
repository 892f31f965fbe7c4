"""`python -m tests.faults`: fails every call of every command, or a sample, and prints the table of the outcomes."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import tiny_set
from tests.faults.bases import SCENARIOS, Bases
from tests.faults.commands import Commands
from tests.faults.loop import Tried, try_faults
from tests.faults.scenarios import Scenario

BEGIN, END = "<!-- table of make test-faults -->", "<!-- end of the table -->"


def main() -> int:
    """Runs it. Returns: 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=[s.name for s in SCENARIOS], help="these commands alone")
    parser.add_argument("--sample", type=int, metavar="N", help="N random faults of each command (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="processes that try faults (default: %(default)s)")
    parser.add_argument("--page", type=Path, help="write the table into this page")
    given = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if not given.only or scenario.name in given.only]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="beamline-faults-") as scratch:
        tiny_set.prepare(Path(scratch) / "tfds", train_rows=200, test_rows=100)

        def work(job: int) -> list[Tried]:
            folder = Path(scratch) / str(job)
            folder.mkdir()
            with Commands() as commands:
                bases = Bases(commands, folder, Path(scratch) / "tfds")
                return [_tried(scenario, bases, given, job) for scenario in scenarios]

        with ThreadPoolExecutor(given.jobs) as jobs:
            found = list(jobs.map(work, range(given.jobs)))
    tried = [sum(parts[1:], parts[0]) for parts in zip(*found, strict=True)]
    lines = table(scenarios, tried)
    print("\n".join(lines), f"\n{(time.monotonic() - started) / 60:.0f} minutes")
    if given.page is not None:
        before, _, rest = given.page.read_text().partition(BEGIN)
        given.page.write_text("\n".join([before + BEGIN, "", *lines, "", END + rest.partition(END)[2]]))
    return int(any(found.wrong for found in tried))


def _tried(scenario: Scenario, bases: Bases, given: argparse.Namespace, job: int) -> Tried:
    tried = try_faults(scenario, bases, given.sample, given.seed, (job, given.jobs))
    for wrong in tried.wrong:
        print(wrong, flush=True)
    print(f"== {scenario.name}, job {job}: {tried.reached} faults, {len(tried.wrong)} wrong", flush=True)
    return tried


def table(scenarios: Sequence[Scenario], tried: Sequence[Tried]) -> list[str]:
    """The lines of a table in Markdown."""
    lines = [
        "| command | calls that change files | EIO | ENOSPC | kill -9 | ended with 0 | with 1 or 2 | killed | wrong |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    total = sum(tried[1:], tried[0])
    for name, one in [*((s.name, t) for s, t in zip(scenarios, tried, strict=True)), ("all", total)]:
        ended = (one.ended[0], one.ended[1] + one.ended[2], sum(n for code, n in one.ended.items() if code < 0))
        kinds = (one.injected[kind] for kind in ("EIO", "ENOSPC", "kill"))
        cells = (name, one.calls, *kinds, *ended, len(one.wrong))
        lines.append("| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in cells) + " |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
