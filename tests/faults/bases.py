"""The prepared folders in which commands are disturbed, and the list of these commands."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.faults.commands import Commands
from tests.faults.scenarios import Cleaning, Moving, Reporting, Running, Scenario, Scoring, Writing


class Bases:
    """Folders that are made once, at the one path where all commands run: some files name whole paths."""

    def __init__(self, commands: Commands, scratch: Path, data_dir: Path) -> None:
        self.commands, self.place, self._scratch = commands, scratch / "project", scratch
        self.data_dir = data_dir

    def folder(self, name: str) -> Path:
        """The prepared folder; it is made when it is first asked for."""
        made = self._scratch / name
        if not made.exists():
            shutil.rmtree(self.place, ignore_errors=True)
            MAKE[name](self)
            self.place.rename(made)
        return made

    def reset(self, name: str) -> None:
        """Makes the place a copy of a prepared folder."""
        base = self.folder(name)
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(base, self.place, symlinks=True)

    def command(self, *arguments: str) -> None:
        """A command that must succeed."""
        ended = self.commands.run(self.whole(arguments), self.place)
        assert ended.exit_code == 0, ended.printed

    def whole(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """The arguments with those of the data set."""
        more = (f"--data-dir={self.data_dir}",) if "tiny" in arguments and "--dataset" in arguments else ()
        return arguments + more


DATA = ("--dataset", "tiny", "--evaluate.min-accuracy", "0.9", "--train.epochs", "2")
RUN = ("pipeline", "run", *DATA)
COMPARE = ("pipeline", "compare", "mlp-128-128", "linear", *DATA)
TUNE = (
    "pipeline",
    "tune",
    "--trials",
    "1",
    "--dataset",
    "tiny",
    "--evaluate.min-accuracy",
    "0.9",
    "--train.epochs",
    "3",
)


def _trained(bases: Bases) -> None:
    """Version 1 served, version 2 serves, run 0003 can be promoted; predictions of version 1."""
    bases.place.mkdir()
    bases.command(*RUN)
    bases.command("pipeline", "sample", "--dataset", "tiny", "--out", "images.npy")
    for ending in ("csv", "npy", "jsonl"):
        bases.command("serving.batch_score", "images.npy", "--out", f"scored.{ending}")
    bases.command(*RUN, "--seed", "1")
    bases.command(*RUN, "--seed", "2", "--no-promotion")


def _from(name: str) -> Callable[[Bases], None]:
    def copied(bases: Bases) -> None:
        shutil.copytree(bases.folder(name), bases.place, symlinks=True)

    return copied


def _pictured(bases: Bases) -> None:
    """The images as pictures, and predictions of version 1."""
    _from("trained")(bases)
    (bases.place / "pictures").mkdir()
    for number, image in enumerate(np.load(bases.place / "images.npy")):
        Image.fromarray(image[..., 0]).save(bases.place / f"pictures/{number:03}.png")
    bases.command("serving.batch_score", "pictures", "--model", "models/tiny/1", "--out", "scored.parquet")


def _evaluated(bases: Bases) -> None:
    """A run of another seed needs to export, to verify and to promote."""
    _from("trained")(bases)
    bases.command(*RUN, "--seed", "3", "--no-promotion")
    before = bases.folder("trained") / "runs/artifacts"
    for step in ("export", "verify"):
        for made in (bases.place / "runs/artifacts").glob(f"{step}-*"):
            if not (before / made.name).exists():
                shutil.rmtree(made)


def _used(bases: Bases) -> None:
    """There is something to clean."""
    _from("trained")(bases)
    bases.command(*RUN, "--seed", "3", "--no-promotion")
    bases.command(*RUN, "--seed", "1")
    bases.command(*RUN, "--seed", "1")


def _compared(bases: Bases) -> None:
    """Both presets are trained."""
    _from("trained")(bases)
    bases.command(*COMPARE)


def _tuned(bases: Bases) -> None:
    """One trial is finished."""
    _from("trained")(bases)
    bases.command(*TUNE)


MAKE: dict[str, Callable[[Bases], None]] = {
    "trained": _trained,
    "pictured": _pictured,
    "evaluated": _evaluated,
    "used": _used,
    "compared": _compared,
    "tuned": _tuned,
}

NIGHTLY = (*RUN, "--seed", "1")
SCORE = ("serving.batch_score", "images.npy")
REASON = ("--reason", "a fault")
SCENARIOS: tuple[Scenario, ...] = (
    Running("export, verify, promote", "evaluated", (*RUN, "--seed", "3"), slow=True, one_sentence=False, to=3),
    Reporting("a run with nothing to do", "trained", NIGHTLY, made=("runs/reports/*.html",), one_sentence=False),
    Reporting("compare", "compared", COMPARE, slow=True, made=("runs/comparisons/*.html",), one_sentence=False),
    Reporting("tune", "tuned", TUNE, made=("runs/tuning/*/*.json",), one_sentence=False),
    Cleaning("clean", "used", ("pipeline", "clean", "--keep", "1")),
    Moving("promote", "trained", ("pipeline", "promote", "0003", *REASON), to=3),
    Moving("rollback", "trained", ("pipeline", "rollback", "tiny", "--to", "1", *REASON), to=1),
    Writing(
        "sample",
        "trained",
        ("pipeline", "sample", "--dataset", "tiny", "--out", "drawn.npy"),
        made={"drawn.npy": "images.npy", "drawn.labels.npy": "images.labels.npy"},
    ),
    Scoring("score to CSV", "trained", (*SCORE, "--out", "scored.csv")),
    Scoring("score to npy", "trained", (*SCORE, "--out", "scored.npy", "--probabilities")),
    Scoring("score to JSON lines", "trained", (*SCORE, "--out", "scored.jsonl", "--labels", "images.labels.npy")),
    Scoring("score pictures to Parquet", "pictured", ("serving.batch_score", "pictures", "--out", "scored.parquet")),
)
