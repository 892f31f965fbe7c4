"""runs/comparisons: the results of several presets on one test set, and significance tests between each two presets."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Literal, Self

from components.significance import SIGNIFICANCE
from serving.codec import FormatError, read, to_json
from serving.errors import InputError
from serving.files import replace_json

Verdict = Literal["passed", "refused", "failed"]


@dataclass(frozen=True)
class Rate:
    """Scoring throughput of one bundle over the rounds, images per second: median, 10th and 90th percentile."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Entry:
    """The results of one preset: of one model, or of several that differ in the seed.

    From `layers` on, every field keeps its default if the run failed or nothing was evaluated. With several seeds, all
    figures but `accuracies` are those of the first one's model.

    Attributes:
        preset: the preset's name.
        run: the run's number; None if its process ended before it had one.
        verdict: `passed` every gate, `refused` by one, or `failed`; with several seeds the worst of theirs.
        step: the step that refused or failed; None if all passed, or if it is unknown.
        reasons: why it was refused or failed.
        layers: the layers of the network.
        epochs: passes over the training rows.
        batch_size: training rows in a batch.
        parameters: number of trained values.
        rows: number of test images.
        correct: number of test images that the model classifies correctly.
        interval: Wilson's 95 % interval of the accuracy, fractions.
        training_seconds: duration of the step train, in the run that executed it; None if no record has it, or if an
            interrupted training was continued.
        run_seconds: duration of that whole run; None if no record has it.
        onnx_bytes: size of the exported file; None if nothing was exported.
        rate: scoring throughput with that file; None if nothing was exported.
        seeds: those whose models were evaluated, if they are several.
        accuracies: the fraction of the test images that the model of each of these seeds classifies correctly.
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
    seeds: tuple[int, ...] = ()
    accuracies: tuple[float, ...] = ()

    @property
    def accuracy(self) -> float | None:
        """Fraction of the test images that the model classifies correctly, the mean over seeds; None without any."""
        if self.accuracies:
            return mean(self.accuracies)
        return self.correct / self.rows if self.rows else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the accuracy between seeds, a fraction; None with fewer than two."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def reach(self) -> tuple[float, float] | None:
        """The range of the accuracy over the seeds; of a single model its interval."""
        return (min(self.accuracies), max(self.accuracies)) if self.accuracies else self.interval


@dataclass(frozen=True)
class PairTest:
    """Two presets on the same test images, with Holm's correction over all pairs.

    Of single models it is McNemar's test (mid-p, two-sided), of several seeds the one of `two_sources`.

    Attributes:
        better: the preset with the higher accuracy; if equal, the first one.
        worse: the other.
        gained: number of images that only the better one classifies correctly; None with several seeds.
        lost: number of images that only the worse one classifies correctly; None with several seeds.
        p: p-value, 0 to 1.
        adjusted_p: p-value after Holm's correction, 0 to 1.
        difference: of the mean accuracies, 0 to 1; None for single models.
        interval: the 95 % interval of the difference; None for single models.
    """

    better: str
    worse: str
    gained: int | None
    lost: int | None
    p: float
    adjusted_p: float
    difference: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def significant(self) -> bool:
        """Whether the two presets differ significantly."""
        return self.adjusted_p < SIGNIFICANCE


@dataclass(frozen=True)
class Comparison:
    """All results of one comparison.

    Attributes:
        began: start time, ISO 8601 in UTC.
        seconds: duration of the whole comparison.
        dataset: name of the data set.
        test_sha256: digest of the test set; empty if nothing was evaluated.
        arguments: the flags that all runs share.
        entries: one for each preset, in the order given.
        pairs: one for each pair of evaluated presets.
        rounds: number of rounds in which the throughput was measured.
        threads: number of threads that scored.
        environment: Python, machine, processors.
        seeds: number of seeds of each preset.
        scope: what is compared, models or recipes, and what the seed alone moves, as a sentence.
    """

    began: str
    seconds: float
    dataset: str
    test_sha256: str
    arguments: tuple[str, ...]
    entries: tuple[Entry, ...]
    pairs: tuple[PairTest, ...]
    rounds: int
    threads: int
    environment: Mapping[str, Any]
    seeds: int = 1
    scope: str = ""

    @property
    def ranked(self) -> list[Entry]:
        """The evaluated entries, the most accurate first; if equal, the one with fewer parameters; then as given."""
        evaluated = [entry for entry in self.entries if entry.rows]
        return sorted(evaluated, key=lambda entry: (-(entry.accuracy or 0.0), entry.parameters))

    @property
    def best(self) -> Entry | None:
        """The most accurate entry that passed every gate; None if none passed."""
        return next((entry for entry in self.ranked if entry.verdict == "passed"), None)

    @property
    def exit_code(self) -> int:
        """0 if one passed, otherwise 1 if one failed, otherwise 3: all were refused."""
        if self.best is not None:
            return 0
        return 1 if any(entry.verdict == "failed" for entry in self.entries) else 3

    def save(self, file: Path) -> None:
        """Replaces a file with this comparison, as JSON."""
        replace_json(file, to_json(self))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads a file that `save` wrote. Raises: InputError: the file does not hold a comparison."""
        try:
            return read(cls, file)
        except (OSError, FormatError) as error:
            raise InputError(f"{file} is not a comparison ({error}): give a file of runs/comparisons/") from error


def reserve_file(runs: Path) -> Path:
    """Creates an empty file `<number>.json` in runs/comparisons with the next number, which no other process gets.

    The number has four digits or more; the comparison's other files have the same number.
    """
    folder = runs / "comparisons"
    folder.mkdir(parents=True, exist_ok=True)
    number = max((int(file.stem) for file in folder.glob("*.json") if file.stem.isdigit()), default=0)
    while True:
        number += 1
        file = folder / f"{number:04d}.json"
        with contextlib.suppress(FileExistsError):
            file.touch(exist_ok=False)
            return file
