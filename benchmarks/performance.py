"""All benchmarks against peers -> docs/performance.md: the lines that each prints, with the machine and the day.

`python -m benchmarks.performance models/mnist images.npy --manual-dir FOLDER`
"""

from __future__ import annotations

import datetime
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from serving.arguments.parser import Arguments
from serving.errors import BeamlineError
from serving.files import replace_text
from serving.machine import usable_processors

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
LIBRARIES = ("tensorflow", "keras", "onnxruntime", "apache-beam", "numpy")


def parts(model: str, images: str, manual: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The benchmark and the arguments of each part of the page, by the name of its place in the page."""
    return {
        "runs": ("runs", *manual),
        "scoring": ("scoring", model, images, "--rows", "3000000", "--rounds", "9"),
        "data": ("data", *manual),
        "pictures": ("pictures",),
    }


def measure(benchmark: str, *arguments: str) -> str:
    """What a benchmark prints, for a page. Raises: BeamlineError: it failed."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BeamlineError(f"benchmarks.{benchmark} ended with {done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def described(printed: str, day: datetime.date) -> str:
    """The lines of a benchmark as Markdown, with the machine and the day."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    machine = f"{platform.machine()}, {usable_processors()} processors, Python {platform.python_version()}"
    return f"{day.isoformat()}, {machine}, {libraries}:\n\n```text\n{printed.rstrip()}\n```"


def replaced(page: str, place: str, text: str) -> str:
    """The page with another text at a place, which begins with `<!-- PLACE -->` and ends with `<!-- end -->`.

    Raises: BeamlineError: the page has no such place.
    """
    pattern = re.compile(rf"(<!-- {re.escape(place)} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    if not pattern.search(page):
        raise BeamlineError(f"{PAGE} has no place <!-- {place} --> … <!-- end -->")
    return pattern.sub(lambda found: found[1] + text + found[2], page)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    parser = Arguments(
        prog="python -m benchmarks.performance",
        description="Measures Beamline against its peers, and writes docs/performance.md (half an hour).",
    )
    parser.add_argument("model", help="a promoted model's folder, or a bundle's")
    parser.add_argument("images", help="as serving.batch_score takes them; they are repeated")
    parser.add_argument("--manual-dir", metavar="FOLDER", help="MNIST's original files (default: fetched)")
    parser.add_argument("--only", action="append", choices=parts("", "", ()), help="some parts; default: all")
    options = parser.parse_args(arguments)
    manual = [] if options.manual_dir is None else ["--manual-dir", str(Path(options.manual_dir).resolve())]
    try:
        for name, command in parts(options.model, options.images, manual).items():
            if name in (options.only or [name]):
                text = described(measure(*command), datetime.datetime.now(datetime.UTC).date())
                replace_text(PAGE, replaced(PAGE.read_text(encoding="utf-8"), name, text))
                print(f"{name}: measured", flush=True)
    except BeamlineError as error:
        print(f"benchmarks.performance: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
