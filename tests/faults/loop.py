"""One fault after the other in one command: what was wrong, and how often the command ended in which way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.bases import Bases
from tests.faults.commands import Ended
from tests.faults.scenarios import Scenario
from tests.faults.shim import Fault
from tests.faults.state import leftovers

# The faults of a call: once or from then on, and a kill before the call.
KINDS = (("EIO", False), ("ENOSPC", True), ("kill", False), ("ENOSPC", False), ("EIO", True))
# What no user should read.
NOISE = ("Traceback", "[Errno", "{{", "requested and", "<frozen", "0x7f")
LONGEST = 600


@dataclass
class Tried:
    """The outcome of the faults of a command.

    Attributes:
        calls: number of calls of the undisturbed command.
        injected: how often a call failed or the process was killed, by kind.
        ended: how often the command ended with each exit code.
        wrong: one sentence for each thing that was wrong, with what was printed.
    """

    calls: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: Tried) -> Tried:
        """Both together."""
        return Tried(
            self.calls + other.calls,
            self.injected + other.injected,
            self.ended + other.ended,
            self.wrong + other.wrong,
        )

    @property
    def reached(self) -> int:
        """How many faults were reached."""
        return sum(self.injected.values())


def faults(calls: int, slow: bool, sample: int | None, seed: int) -> list[Fault]:
    """All faults of a command with this number of calls, or a random sample of them; one a call if it is slow."""
    found = []
    for nth in range(1, calls + 1):
        found += [Fault(nth, *kind) for kind in ([KINDS[nth % len(KINDS)]] if slow else KINDS)]
    return found if sample is None else random.Random(seed).sample(found, min(sample, len(found)))


def try_faults(
    scenario: Scenario, bases: Bases, sample: int | None = None, seed: int = 0, share: tuple[int, int] = (0, 1)
) -> Tried:
    """Disturbs a command at every call, or at a random sample; (1, 2) is the second of two shares of the faults."""

    def run(arguments: tuple[str, ...], folder: Path, fault: Fault | None = None) -> Ended:
        return bases.commands.run(bases.whole(arguments), folder, fault)

    bases.reset(scenario.base)
    undisturbed = run(scenario.arguments, bases.place, Fault())
    assert undisturbed.exit_code == 0, undisturbed.printed
    expected = scenario.result(bases.place)
    calls = undisturbed.seen.calls
    tried = Tried(0 if share[0] else calls)
    for fault in faults(calls, scenario.slow, sample, seed)[share[0] :: share[1]]:
        bases.reset(scenario.base)
        ended = run(scenario.arguments, bases.place, fault)
        if not ended.seen.injected:
            continue
        tried.injected[fault.kind] += 1
        tried.ended[ended.exit_code] += 1
        wrong = [*_bad_output(scenario, fault, ended), *_problems(scenario, bases, ended, fault)]
        again = scenario.done(run, bases.place)
        if again.exit_code:
            wrong.append(f"the same command again ended with {again.exit_code}:\n{again.printed[-800:]}")
        elif (found := scenario.result(bases.place)) != expected:
            wrong.append(f"the same command again gave {found}, undisturbed {expected}")
        wrong += [f"left behind: {name}" for name in leftovers(bases.place) if not name.startswith("tmp/")]
        call = ended.seen.call.replace(str(bases.place), ".")
        where = f"{scenario.name}, {fault} ({call}), exit {ended.exit_code}"
        tried.wrong += [f"{where}: {what}\n{ended.printed[-1500:]}----" for what in wrong]
    return tried


def _problems(scenario: Scenario, bases: Bases, ended: Ended, fault: Fault) -> Iterator[str]:
    try:
        yield from scenario.problems(bases.folder(scenario.base), bases.place, ended)
    except (AssertionError, OSError, ValueError, KeyError) as error:
        yield f"{type(error).__name__}: {error}"
    if not fault.lasting and fault.kind != "kill":
        yield from (f"left behind: {name}" for name in leftovers(bases.place) if name.startswith("tmp/"))


def _bad_output(scenario: Scenario, fault: Fault, ended: Ended) -> Iterator[str]:
    """What is wrong with the exit code and the output."""
    if ended.exit_code < 0:
        if fault.kind != "kill":
            yield f"ended by signal {-ended.exit_code}"
        return
    if ended.exit_code not in (0, 1, *(scenario.full if fault.kind == "ENOSPC" else ())):
        yield f"exit {ended.exit_code} is not a failure of the machine"
    yield from (f"the output has {noise!r}" for noise in NOISE if noise in ended.printed)
    if (longest := max(map(len, ended.printed.splitlines()), default=0)) > LONGEST and ended.exit_code:
        yield f"a line of {longest} characters"
    errors = [line for line in ended.err.splitlines() if not line.startswith("runs/index.html could not be rewritten")]
    if ended.exit_code and not ended.printed:
        yield "a failure without a word"
    if ended.exit_code and scenario.one_sentence and len(errors) != 1:
        yield f"{len(errors)} lines of errors"
