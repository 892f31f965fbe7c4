"""runs/history: one record per run, numbered in the order in which the runs began."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, ClassVar

from pipeline.engine.changes import Previous
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from serving.codec import FormatError, read, to_json
from serving.errors import InputError
from serving.faults.fault import OF_THE_MACHINE
from serving.files import canonical_json, create_staged, remove_abandoned, replace_json
from serving.locks import is_held, lock
from serving.process.program import PIPELINE

RUNNING, KILLED = "running", "killed"
WHY_KILLED = (
    "its process ended before it wrote the outcome, because it was killed or the disk was full: run the same command "
    "to continue"
)


@dataclass(frozen=True)
class Record:
    """The record of one run.

    Attributes:
        run: the run's number, four digits or more.
        began: ISO 8601 time in UTC, for people: no order depends on it.
        verdict: `running`, `promoted`, `passed` without a promotion, `refused`, `failed`, `interrupted`; or `killed`,
            if its file has `running` and no process holds it.
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

    @property
    def artifacts(self) -> tuple[str, ...]:
        """The names of the artifacts that the run made or found, also those of inner steps."""
        return tuple(name for one in self.steps for name in (one.artifact, *one.inner) if name is not None)


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

    @contextmanager
    def begin(self, run: str, config: Mapping[str, Any], arguments: tuple[str, ...]) -> Iterator[Record | None]:
        """Creates a run's record, and holds it to the end of the block: until then the run is not taken for killed.

        Gives None if another run took the number. Raises: InputError: the record cannot be written.
        """
        began = datetime.now(UTC).isoformat(timespec="seconds")
        record = Record(run, began, RUNNING, 0.0, arguments, config, (), environment(), folder=os.getcwd())
        descriptor = self._create(record)
        try:
            yield None if descriptor is None else record
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _create(self, record: Record) -> int | None:
        """The locked file of a new record; None if its name is taken."""
        file = self.file(record.run)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_abandoned(self.folder)
            with create_staged(file) as staged:
                try:
                    staged.write(canonical_json(to_json(record)).encode())
                    staged.flush()
                    os.fsync(staged.fileno())
                    return _take_name(staged, file)
                finally:
                    # What cannot be removed is removed by the next run.
                    with contextlib.suppress(OSError):
                        os.unlink(staged.name)
        except FileExistsError:
            if file.exists():
                return None
            raise InputError(f"--runs {self.root} is not a folder: give another folder") from None
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                raise
            raise InputError(f"--runs {self.root} cannot be written: {error.strerror}: give another folder") from error

    def finish(self, record: Record) -> None:
        """Replaces a run's record with the final one."""
        replace_json(self.file(record.run), to_json(record))

    def read(self, run: str) -> Record:
        """The record of a run, by its number, with or without leading zeros. Raises: InputError: missing or damaged."""
        wanted = run.zfill(4)
        if not (wanted.isdecimal() and self.file(wanted).exists()):
            raise InputError(
                f"there is no run {run} in {self.folder} ({self._extent()}): list the runs with {PIPELINE} runs"
            )
        try:
            record = read(Record, self.file(wanted))
            if record.verdict == RUNNING and not is_held(self.file(wanted)):
                # It may have ended since.
                record = read(Record, self.file(wanted))
                return replace(record, verdict=KILLED) if record.verdict == RUNNING else record
            return record
        except OSError as error:
            raise InputError(f"{self.file(wanted)} cannot be read: {error.strerror}: make it readable") from error
        except FormatError as error:
            raise InputError(
                f"the record of run {wanted} is damaged: {error}: move this file out of the folder (the run's "
                "artifacts are kept)"
            ) from error

    def _extent(self) -> str:
        runs = self.runs()
        if not runs:
            return "it has none yet"
        gaps = len(runs) <= int(runs[-1]) - int(runs[0])
        rule = "; clean removes the records of runs that made nothing new" if gaps else ""
        return f"it has {runs[0]} to {runs[-1]}{rule}"

    def previous(self, model: str, steps: Collection[str], store: Store) -> dict[str, Previous]:
        """The last artifact of each step, by step; a step without an artifact in any run of the model is not in it."""
        found: dict[str, Previous] = {}
        for run in reversed(self.runs()):
            # A damaged record is skipped: it must not stop a new run.
            for record in self.readable([run]):
                for artifact in record.artifacts if record.config["model"] == model else ():
                    step = artifact.rpartition("-")[0]
                    if step in steps and step not in found:
                        stored = store.by_name(artifact)
                        found[step] = Previous(run, artifact, None if stored is None else stored.parts)
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
        """The numbers of all runs, oldest first. Raises: InputError: the folder cannot be read."""
        try:
            files = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                raise
            advice = "give this process the permission to read it, or another folder with --runs"
            raise InputError(f"{self.folder} cannot be read: {error.strerror}: {advice}") from error
        names = [Path(file).stem for file in files if file.endswith(".json")]
        return sorted((name for name in names if name.isdigit()), key=int)

    def file(self, run: str) -> Path:
        """The file of a run's record; it may not exist."""
        return self.folder / f"{run}.json"


def _take_name(complete: IO[bytes], file: Path) -> int:
    """Gives a complete, locked file a second name. Returns: the file, locked. Raises: FileExistsError: it is taken."""
    try:
        # The whole record appears at once, and it is locked already: a reader would take the run for killed.
        os.link(complete.name, file)
    except FileExistsError:
        raise
    except OSError:
        # Not every file system has hard links. Without them, a reader may find the record incomplete for a moment.
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        lock(descriptor, file)
        with open(descriptor, "wb", closefd=False) as target:
            target.write(Path(complete.name).read_bytes())
        return descriptor
    return os.dup(complete.fileno())


def environment() -> dict[str, Any]:
    """The machine and the Python of a run or of a measurement."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
    }
