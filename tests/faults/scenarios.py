"""The commands that are disturbed, and what has to be true after each."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.commands import Ended
from tests.faults.state import MODEL, Serving, artifacts, digest, serving, tree

Run = Callable[..., Ended]


@dataclass(frozen=True)
class Scenario(ABC):
    """A command in a prepared folder.

    Attributes:
        name: its name in the table.
        base: the prepared folder, see `MAKE` in bases.py.
        arguments: the command.
        full: other exit codes than 1 for a full disk: 2 if a flag gives the path.
        slow: whether each call fails in one way alone, because the command takes seconds.
        one_sentence: whether a failure is one line of standard error, and nothing else is there.
    """

    name: str
    base: str
    arguments: tuple[str, ...]
    full: tuple[int, ...] = ()
    slow: bool = False
    one_sentence: bool = True

    def problems(self, before: Path, folder: Path, ended: Ended) -> Iterator[str]:
        """One sentence for each thing that is wrong right after the disturbed command; `before` is the base."""
        was, now = serving(before), serving(folder)
        yield from now.problems
        yield from self.changes(was, now, before, folder, ended)
        artifacts(folder)

    def changes(self, was: Serving, now: Serving, before: Path, folder: Path, ended: Ended) -> Iterator[str]:
        """What is wrong with what serves: by default it must not change."""
        if (was.version, was.sha256, was.sequences) != (now.version, now.sha256, now.sequences):
            yield f"version {was.version} served, now it is {now.version}"

    def done(self, run: Run, folder: Path) -> Ended:
        """Runs the command again, undisturbed, until everything is done."""
        return run(self.arguments, folder)

    @abstractmethod
    def result(self, folder: Path) -> object:
        """What an undisturbed command leaves, without times."""


@dataclass(frozen=True)
class Scoring(Scenario):
    """The batch scorer over an earlier output."""

    full: tuple[int, ...] = (2,)

    def problems(self, before: Path, folder: Path, ended: Ended) -> Iterator[str]:
        """The output is the old one or the new one, and the sentence names which."""
        target = folder / self.arguments[self.arguments.index("--out") + 1]
        sidecar = json.loads((target.parent / f"{target.name}.json").read_text())
        is_new = digest(target) != digest(before / target.name)
        if digest(target) not in (sidecar["output_sha256"], sidecar["replaces_sha256"]):
            yield "the sidecar does not know the output"
        if is_new and digest(target) != sidecar["output_sha256"]:
            yield "the new output has an old sidecar"
        if ended.exit_code > 0:
            if is_new and "is complete" not in ended.err:
                yield "the new predictions are in place, which the sentence does not say"
            if not is_new and "is complete" in ended.err:
                yield "the predictions are not in place, and the sentence says so"
        elif ended.exit_code == 0 and not is_new:
            yield "exit 0, and the output is the old one"

    def result(self, folder: Path) -> object:
        """The predictions."""
        return digest(folder / self.arguments[self.arguments.index("--out") + 1])


@dataclass(frozen=True)
class Writing(Scenario):
    """A command that makes files.

    Attributes:
        made: the files, each with a file of the prepared folder that it must be equal to.
    """

    full: tuple[int, ...] = (2,)
    made: Mapping[str, str] = field(default_factory=dict)

    def problems(self, before: Path, folder: Path, ended: Ended) -> Iterator[str]:
        """Each file is whole or absent."""
        yield from super().problems(before, folder, ended)
        for name, equal in self.made.items():
            if not (folder / name).exists():
                if ended.exit_code == 0:
                    yield f"exit 0 without {name}"
            elif digest(folder / name) != digest(before / equal):
                yield f"{name} is not whole"

    def result(self, folder: Path) -> object:
        """The files."""
        return {name: digest(folder / name) for name in self.made}


@dataclass(frozen=True)
class Moving(Scenario):
    """A command that makes another version serve."""

    to: int = 0

    def changes(self, was: Serving, now: Serving, before: Path, folder: Path, ended: Ended) -> Iterator[str]:
        """The old version serves or the new one, and the sentence names which."""
        if now.version not in (was.version, self.to):
            yield f"version {now.version} serves, neither the old one nor the new one"
        moved = now.sequences != was.sequences
        if (
            ended.exit_code > 0
            and moved
            and not re.search(rf"version {self.to}( of {MODEL})? serves now", ended.printed)
        ):
            yield "the new version serves, which the sentence does not say"
        if ended.exit_code > 0 and not moved and "serves now" in ended.printed:
            yield "the old version serves, and the sentence says that the new one does"
        if ended.exit_code == 0 and not moved:
            yield "exit 0, and the old version serves"
        for version in (folder / "models" / MODEL).glob("[0-9]*"):
            if (old := before / "models" / MODEL / version.name).exists() and tree(old) != tree(version):
                yield f"version {version.name} was changed"

    def done(self, run: Run, folder: Path) -> Ended:
        """The command again; the version may serve already."""
        ended = run(self.arguments, folder)
        if ended.exit_code == 2 and "serves already" in ended.err:
            # Nothing is left to do, but the list of runs may be that of before.
            return run(("pipeline", "clean", "--keep", "9"), folder)
        return ended

    def result(self, folder: Path) -> object:
        """What serves, and the files of servers."""
        now = serving(folder)
        models = folder / "models"
        servers = [digest(models / "models.config"), digest(models / MODEL / "config.pbtxt")]
        lines = (models / MODEL / "history.jsonl").read_text().splitlines()
        whole = [(line["sequence"], line["to"], line["bundle_sha256"]) for line in map(json.loads, lines)]
        return now.version, now.sha256, servers, whole, tree(models / MODEL / str(self.to))


@dataclass(frozen=True)
class Running(Moving):
    """A run that exports, verifies and promotes."""

    def result(self, folder: Path) -> object:
        """What serves, and the artifacts that it was made from; a run that finds it serving makes no promotion."""
        made = {name: sha256 for name, sha256 in artifacts(folder).items() if not name.startswith("promote-")}
        return super().result(folder), made


@dataclass(frozen=True)
class Reporting(Scenario):
    """A command whose results are records, cards and pages."""

    made: tuple[str, ...] = ()

    def result(self, folder: Path) -> object:
        """The artifacts, and the kinds of files that it makes."""
        return artifacts(folder), {pattern: len(list(folder.glob(pattern))) > 0 for pattern in self.made}


@dataclass(frozen=True)
class Cleaning(Scenario):
    """`clean`, which must never half delete."""

    def result(self, folder: Path) -> object:
        """What is kept."""
        kept = {name for name in tree(folder / "runs") if not name.endswith((".html", ".png"))}
        return artifacts(folder), kept

    def problems(self, before: Path, folder: Path, ended: Ended) -> Iterator[str]:
        """A line of a removed path is true."""
        yield from super().problems(before, folder, ended)
        for line in ended.out.splitlines():
            if line.startswith("removed") and (folder / line.split("  ")[-1].strip()).exists():
                yield f"not removed: {line}"
