"""Takes the pictures of pages in a browser, docs/card*.png and docs/runs.png: `python -m tools.screenshots`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipeline.records.run_history import RunHistory

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "tests" / "browser" / "crop.mjs"
COLOURS = 128


@dataclass(frozen=True)
class Shot:
    """The upper part of a page, on one screen.

    Attributes:
        name: the picture's name.
        page: below the folder of runs.
        width: the width of the screen, in pixels of the page.
        height: how much of the page is shown, in pixels of the page.
        scale: pixels of the picture in one of the page.
        scheme: `light` or `dark`.
        sections: those that are shown, by their ids; all where none is named.
    """

    name: str
    page: str
    width: int
    height: int
    scale: float
    scheme: str
    sections: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes all pictures. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of artifacts, history and logs")
    parser.add_argument("--run", help="whose card; the newest that was promoted")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder to write to")
    given = parser.parse_args(arguments)
    run = given.run or next(
        record.run for record in reversed(RunHistory(given.runs).records()) if record.verdict == "promoted"
    )
    card = f"reports/{run}.html"
    for shot in (
        Shot("card.png", card, 1120, 876, 1, "light", ("champion",)),
        Shot("card-phone.png", card, 390, 1016, 1, "dark"),
        Shot("runs.png", "index.html", 1120, 1080, 1, "light"),
    ):
        take(shot, given.runs, given.out)
    return 0


def take(shot: Shot, runs: Path, out: Path) -> None:
    """Writes one picture, with as few colours as show it well."""
    target = out / shot.name
    sizes = map(str, (shot.width, shot.height, shot.scale))
    subprocess.run(["node", SCRIPT, runs / shot.page, target, *sizes, shot.scheme, *shot.sections], check=True)
    with Image.open(target) as taken:
        few = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
