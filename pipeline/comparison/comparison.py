"""runs/comparisons: what several runs on the same test images came to, held against each other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from components.mcnemar import SIGNIFICANCE
from serving.errors import InputError
from serving.files import replace_json

Verdict = Literal["passed", "refused", "failed"]


@dataclass(frozen=True)
class Rate:
    """How many images a second a bundle scores, over several rounds.

    Attributes:
        median: images a second.
        low: 8 of 10 rounds lie between this
        high: and this.
    """

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Entry:
    """What one preset came to.

    Attributes:
        preset: its name.
        run: the run's number; None where it ended before it had one.
        verdict: `passed` every gate, `refused` by one, or `failed`.
        step: which refused it, or failed; None where all passed, or nobody knows.
        reasons: of a refusal or a failure.
        layers: the network in words; empty where nothing was trained, as below.
        epochs: passes over the training rows.
        batch_size: rows a step.
        parameters: number of trained values; None where nothing was trained.
        rows: number of test images; 0 where nothing was evaluated.
        correct: how many of them got their own label.
        interval: Wilson's 95 % interval of the accuracy, fractions; None where nothing was evaluated.
        training_seconds: of the step train, in the run that executed it; None where no record has it.
        run_seconds: of that whole run.
        onnx_bytes: size of the exported file; None where the gate refused the model.
        rate: of scoring with that file; None likewise.
    """

    preset: str
    run: str | None
    verdict: Verdict
    step: str | None = None
    reasons: tuple[str, ...] = ()
    layers: str = ""
    epochs: int = 0
    batch_size: int = 0
    parameters: int | None = None
    rows: int = 0
    correct: int = 0
    interval: tuple[float, float] | None = None
    training_seconds: float | None = None
    run_seconds: float | None = None
    onnx_bytes: int | None = None
    rate: Rate | None = None

    @property
    def accuracy(self) -> float | None:
        """Fraction of the test images that got their own label; None where nothing was evaluated."""
        return self.correct / self.rows if self.rows else None


@dataclass(frozen=True)
class Pair:
    """Two presets on the same test images (McNemar's test, mid-p, two-sided; Holm's correction over all pairs).

    Attributes:
        better: the one with more right answers; of equals, the first.
        worse: the other.
        gained: images that the better one alone gets right.
        lost: images that the worse one alone gets right.
        p: of a difference like this, were they equally good.
        adjusted_p: the same, given how many pairs were looked at.
    """

    better: str
    worse: str
    gained: int
    lost: int
    p: float
    adjusted_p: float

    @property
    def significant(self) -> bool:
        """Whether one of the two is better beyond chance."""
        return self.adjusted_p < SIGNIFICANCE


@dataclass(frozen=True)
class Comparison:
    """All figures of one comparison.

    Attributes:
        began: when, as ISO 8601 in UTC; for people.
        seconds: how long all of it took.
        dataset: what the test images are of.
        test_sha256: their digest; empty where nothing was evaluated.
        arguments: the flags that all runs had in common.
        entries: in the order asked for.
        pairs: of all that were evaluated.
        rounds: of the measurement of scoring.
        threads: that scored.
        environment: Python, machine, processors.
    """

    began: str
    seconds: float
    dataset: str
    test_sha256: str
    arguments: tuple[str, ...]
    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]
    rounds: int
    threads: int
    environment: Mapping[str, Any]

    @property
    def ranked(self) -> list[Entry]:
        """Those that were evaluated, the most accurate first; of equals the smaller, then the one asked for first."""
        evaluated = [entry for entry in self.entries if entry.rows]
        return sorted(evaluated, key=lambda entry: (-entry.correct, entry.parameters))

    @property
    def best(self) -> Entry | None:
        """The most accurate of those that passed every gate; None where none did."""
        return next((entry for entry in self.ranked if entry.verdict == "passed"), None)

    @property
    def exit_code(self) -> int:
        """0 where one passed, else 1 where one failed, else 3: every one was refused."""
        if self.best is not None:
            return 0
        return 1 if any(entry.verdict == "failed" for entry in self.entries) else 3

    def save(self, file: Path) -> None:
        """Replaces a file by this comparison, as JSON."""
        replace_json(file, asdict(self))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads what `save` wrote. Raises: InputError: it holds no comparison."""
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            entries = tuple(_entry(entry) for entry in said.pop("entries"))
            pairs = tuple(Pair(**pair) for pair in said.pop("pairs"))
            return cls(entries=entries, pairs=pairs, arguments=tuple(said.pop("arguments")), **said)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{file} is no comparison ({error!r}): give one of runs/comparisons/") from error


def _entry(said: dict[str, Any]) -> Entry:
    rate, interval = said.pop("rate"), said.pop("interval")
    return Entry(
        reasons=tuple(said.pop("reasons")),
        interval=None if interval is None else (interval[0], interval[1]),
        rate=None if rate is None else Rate(**rate),
        **said,
    )


def reserve(runs: Path) -> Path:
    """Takes the next number: an empty file `<number>.json` in runs/comparisons, which nobody else gets.

    The number has four digits or more; the comparison's other files are called after it too.
    """
    folder = runs / "comparisons"
    folder.mkdir(parents=True, exist_ok=True)
    number = max((int(file.stem) for file in folder.glob("*.json") if file.stem.isdigit()), default=0)
    while True:
        number += 1
        file = folder / f"{number:04d}.json"
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        return file
