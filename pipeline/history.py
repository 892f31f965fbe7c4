"""runs/history: one record a run, numbered in the order in which the runs began."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.options import Request
from pipeline.outcome import Outcome
from serving.errors import InputError
from serving.files import replace_json


@dataclass(frozen=True)
class Record:
    """What is remembered of a run.

    Attributes:
        run: its number, four digits or more.
        began: when, as ISO 8601 in UTC; for people, nothing is ordered by it.
        verdict: `running`, `promoted`, `passed` where nothing was to be promoted, `refused`, `failed` or
            `interrupted`.
        seconds: how long it took.
        arguments: as they were given on the command line.
        config: everything that it was told, defaults too.
        steps: what became of each step.
        environment: Python, machine, processors.
        figures: what the candidate scored: `rows`, `correct`, `accuracy`, `interval`, `min_accuracy`; empty where none
            was judged, and `bundle`, the digest of what was exported. They stay when `clean` has taken the artifacts.
        folder: where it was run: paths that it was told begin there.
    """

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

    @property
    def models(self) -> Path:
        """The folder of the registry, from wherever it is asked for."""
        return Path(self.folder, self.config["models"])


@dataclass(frozen=True)
class History:
    """The folder of the records.

    Attributes:
        root: runs/.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where the records are."""
        return self.root / "history"

    def next_run(self) -> str:
        """The number that a run would get if it began now."""
        return f"{max((int(run) for run in self.runs()), default=0) + 1:04d}"

    def begin(self, run: str, request: Request) -> Record | None:
        """Opens a run's record; None where another run just took the number.

        Raises:
            InputError: the folder cannot be written.
        """
        began = datetime.now(UTC).isoformat(timespec="seconds")
        told = plain(request.config)
        here = os.getcwd()
        record = Record(run, began, "running", 0.0, request.arguments, told, (), environment(), folder=here)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            staged = self.folder / f".{run}.{os.getpid()}"
            replace_json(staged, asdict(record))
            try:
                # A link fails where the number is taken, and shows the record whole.
                os.link(staged, self._file(run))
            finally:
                staged.unlink()
        except FileExistsError:
            if self._file(run).exists():
                return None
            raise InputError(f"--runs {self.root} is not a folder: give another place") from None
        except OSError as error:
            raise InputError(f"--runs {self.root} cannot be written: {error.strerror}: give another place") from error
        return record

    def finish(self, record: Record) -> None:
        """Replaces a run's record by its final one."""
        replace_json(self._file(record.run), asdict(record))

    def read(self, run: str) -> Record:
        """The record of a run, by its number, leading zeros or not.

        Raises:
            InputError: there is no such run, or its record is damaged.
        """
        wanted = run.zfill(4)
        runs = self.runs()
        if wanted not in runs:
            has = f"it has {runs[0]} to {runs[-1]}" if runs else "it has none yet"
            raise InputError(f"run {run}: {self.folder} has no such run, {has}: list them with python -m pipeline runs")
        try:
            said = json.loads(self._file(wanted).read_text(encoding="utf-8"))
            steps = tuple(Outcome.from_json(step) for step in said.pop("steps"))
            return _whole(Record(steps=steps, arguments=tuple(said.pop("arguments")), **said))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{self._file(wanted)} is no run's record ({error!r}): move it away; the artifacts stay as they are"
            ) from error

    def last_artifact(self, step: str, model: str) -> tuple[str, str] | None:
        """A model's newest run that had an artifact of a step, and the artifact's folder; None where none had."""
        for run in reversed(self.runs()):
            # A record that cannot be read says nothing, and is no reason not to run.
            for record in self.readable([run]):
                for outcome in record.steps if record.config.get("model") == model else ():
                    if outcome.name == step and outcome.artifact is not None:
                        return run, outcome.artifact
        return None

    def readable(self, runs: Sequence[str]) -> list[Record]:
        """The records of these runs, in this order, but for those that are damaged: nothing else is lost for them."""
        found = []
        for run in runs:
            with contextlib.suppress(InputError):
                found.append(self.read(run))
        return found

    def records(self) -> list[Record]:
        """All records, oldest first."""
        return [self.read(run) for run in self.runs()]

    def runs(self) -> list[str]:
        """The numbers of all runs, oldest first."""
        names = [file.stem for file in self.folder.glob("*.json")]
        return sorted((name for name in names if name.isdigit()), key=int)

    def _file(self, run: str) -> Path:
        return self.folder / f"{run}.json"


def _whole(record: Record) -> Record:
    """The record, where it has what is said of every run. Raises: KeyError, TypeError, ValueError: it lacks some."""
    config = record.config
    names = (record.began, record.verdict, config["model"], config["models"])
    if not all(isinstance(name, str) for name in (*names, config["ingest"]["dataset"], config["train"]["preset"])):
        raise TypeError("a name in it is no text")
    if "accuracy" in record.figures:
        low, high = record.figures["interval"]
        for figure in (record.figures["accuracy"], low, high, record.figures["min_accuracy"] or 0.0):
            float(figure)
    return record


def environment() -> dict[str, Any]:
    """What a run, or a measurement, ran on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
    }


def plain(value: Any) -> Any:
    """A configuration as JSON can hold it: dataclasses as objects, paths as text."""
    if is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
