"""`python -m tests.faults`: all faults of all commands, or a sample, and the table of docs/reliability.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.bases import SCENARIOS, Bases
from tests.faults.commands import Commands
from tests.faults.loop import try_scenario


def main() -> int:
    """Runs it. Returns: 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=[s.name for s in SCENARIOS], help="these commands alone")
    parser.add_argument("--sample", type=int, metavar="N", help="N random faults of each command (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="beamline-faults-") as scratch, Commands() as commands:
        bases = Bases(commands, Path(scratch))
        for scenario in (s for s in SCENARIOS if not given.only or s.name in given.only):
            started = time.monotonic()
            tried = try_scenario(scenario, bases, given.sample, given.seed)
            for wrong in tried.wrong:
                print(wrong, flush=True)
            failed = failed or bool(tried.wrong)
            print(f"== {scenario.name}: {tried}"[:300], f"{time.monotonic() - started:.0f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
