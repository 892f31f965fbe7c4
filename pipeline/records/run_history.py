"""runs/history: one record per run, numbered in the order in which the runs began."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pipeline.engine.changes import Previous
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from serving.codec import FormatError, read, to_json
from serving.errors import InputError
from serving.files import replace_json
from serving.process.program import PIPELINE


@dataclass(frozen=True)
class Record:
    """The record of one run.

    Attributes:
        run: the run's number, four digits or more.
        began: ISO 8601 time in UTC, for people: no order depends on it.
        verdict: `running`, `promoted`, `passed` without a promotion, `refused`, `failed` or `interrupted`.
        seconds: duration of the run.
        arguments: those of the command line.
        config: the whole configuration, with the defaults.
        steps: the outcome of each step.
        environment: Python, machine, processors.
        figures: the candidate's `rows`, `correct`, `accuracy`, `interval` and `min_accuracy`, empty if none was
            evaluated; and `bundle`, the digest of the exported bundle. They stay when `clean` deletes the artifacts.
        folder: the working folder of the run: relative paths in the configuration start there.
    """

    IGNORES_UNKNOWN: ClassVar[bool] = True

    run: str
    began: str
    verdict: str
    seconds: float
    arguments: tuple[str, ...]
    config: Mapping[str, Any]
    steps: tuple[Outcome, ...]
    environment: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""

    def __post_init__(self) -> None:
        """Refuses a record without the names and numbers that every reader needs. Raises: ValueError."""
        try:
            names = [self.config[name] for name in ("model", "models")]
            names += [self.config["ingest"]["dataset"], self.config["train"]["preset"]]
            numbers: list[Any] = []
            if "accuracy" in self.figures:
                low, high = self.figures["interval"]
                numbers = [self.figures["accuracy"], low, high, self.figures["min_accuracy"] or 0.0]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"a value is missing or has the wrong type ({error!r})") from error
        if not all(isinstance(name, str) for name in names):
            raise ValueError("model, models, dataset and preset must be text")
        if not all(isinstance(number, int | float) for number in numbers):
            raise ValueError("accuracy, interval and min_accuracy must be numbers")

    @property
    def models(self) -> Path:
        """The folder of the registry, valid from every working folder."""
        return Path(self.folder, self.config["models"])


@dataclass(frozen=True)
class RunHistory:
    """The records of all runs in the folder runs/."""

    root: Path

    @property
    def folder(self) -> Path:
        """The folder of the records."""
        return self.root / "history"

    def next_run(self) -> str:
        """The number of the next run, if no other run takes it first."""
        return f"{max((int(run) for run in self.runs()), default=0) + 1:04d}"

    def begin(self, run: str, config: Mapping[str, Any], arguments: tuple[str, ...]) -> Record | None:
        """Creates a run's record; None if another run took the number. Raises: InputError: it cannot be written."""
        began = datetime.now(UTC).isoformat(timespec="seconds")
        record = Record(run, began, "running", 0.0, arguments, config, (), environment(), folder=os.getcwd())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            staged = self.folder / f".{run}.{os.getpid()}"
            replace_json(staged, to_json(record))
            try:
                _take_name(staged, self._file(run))
            finally:
                staged.unlink()
        except FileExistsError:
            if self._file(run).exists():
                return None
            raise InputError(f"--runs {self.root} is not a folder: give another folder") from None
        except OSError as error:
            raise InputError(f"--runs {self.root} cannot be written: {error.strerror}: give another folder") from error
        return record

    def finish(self, record: Record) -> None:
        """Replaces a run's record with the final one."""
        replace_json(self._file(record.run), to_json(record))

    def read(self, run: str) -> Record:
        """The record of a run, by its number, with or without leading zeros. Raises: InputError: missing or damaged."""
        wanted = run.zfill(4)
        runs = self.runs()
        if wanted not in runs:
            has = f"it has {runs[0]} to {runs[-1]}" if runs else "it has none yet"
            raise InputError(f"there is no run {run} in {self.folder} ({has}): list the runs with {PIPELINE} runs")
        try:
            return read(Record, self._file(wanted))
        except OSError as error:
            raise InputError(f"{self._file(wanted)} cannot be read: {error.strerror}: make it readable") from error
        except FormatError as error:
            raise InputError(
                f"the record of run {wanted} is damaged: {error}: move this file out of the folder (the run's "
                "artifacts are kept)"
            ) from error

    def previous(self, model: str, steps: Collection[str], store: Store) -> dict[str, Previous]:
        """The last artifact of each step, by step; a step without an artifact in any run of the model is not in it."""
        found: dict[str, Previous] = {}
        for run in reversed(self.runs()):
            # A damaged record is skipped: it must not stop a new run.
            for record in self.readable([run]):
                for outcome in record.steps if record.config["model"] == model else ():
                    if outcome.artifact is not None and outcome.name in steps and outcome.name not in found:
                        stored = store.by_name(outcome.artifact)
                        found[outcome.name] = Previous(run, outcome.artifact, None if stored is None else stored.parts)
            if len(found) == len(steps):
                break
        return found

    def readable(self, runs: Sequence[str]) -> list[Record]:
        """The records of these runs, in this order, without the damaged ones."""
        found = []
        for run in runs:
            with contextlib.suppress(InputError):
                found.append(self.read(run))
        return found

    def records(self) -> list[Record]:
        """All records, oldest first. Raises: InputError: one of them is damaged."""
        return [self.read(run) for run in self.runs()]

    def runs(self) -> list[str]:
        """The numbers of all runs, oldest first."""
        names = [file.stem for file in self.folder.glob("*.json")]
        return sorted((name for name in names if name.isdigit()), key=int)

    def _file(self, run: str) -> Path:
        return self.folder / f"{run}.json"


def _take_name(complete: Path, file: Path) -> None:
    """Gives a complete file a second name. Raises: FileExistsError: the name is taken."""
    try:
        # The whole record appears at once.
        os.link(complete, file)
    except FileExistsError:
        raise
    except OSError:
        # Not every file system has hard links. Without them, a reader may find the record incomplete for a moment.
        with file.open("xb") as target:
            target.write(complete.read_bytes())


def environment() -> dict[str, Any]:
    """The machine and the Python of a run or of a measurement."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
    }
