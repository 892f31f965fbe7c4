"""Writes docs/presets.md, .json and .png, what each preset reaches on MNIST: `python -m docs.presets`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.compare import compare_candidates
from pipeline.comparison.candidates import candidates
from pipeline.comparison.comparison import Comparison, Entry
from pipeline.comparison.words import NONE, differences, rate, seconds
from pipeline.console import Screen, console
from pipeline.presets import DEFAULT, PRESETS
from pipeline.report.comparison import write_comparison
from serving.errors import BeamlineError, InputError

DATASET = "mnist"
REMEDY = "make one with python -m pipeline compare --dataset mnist"
# Flags of `run` that change no figure.
PLACES = ("--data-dir", "--manual-dir", "--runs", "--models", "--verbose", "--json", "--quiet")
HEADER = ("preset", "layers", "parameters", "epochs", "batch", "test accuracy", "95 % interval")
HEADER += ("training", "whole run", "scored images/s", "ONNX")

TEXT = """# The presets on MNIST

Each preset as it stands, compared by `python -m pipeline compare --dataset mnist`. The accuracy is that of the 10,000
test images, its interval Wilson's. *Training* is the time of the step `train`, *whole run* that of the run which
trained; what an earlier one had left ready it found. The rate is onnxruntime's with {threads} threads, the median of
{rounds} rounds in which the models took turns, and the range in which 8 of 10 rounds lie. Measured with {environment}.

A linear model does not reach the limit of 0.96 that the gate has for MNIST, and is refused. `linear` and
`linear-sigmoid` learn the same weights: Keras computes the sparse cross-entropy from the scores before the activation.

![Accuracy over parameters, and what training and scoring take](presets.png)

{table}

What is more than chance, by McNemar's test with Holm's correction over all {pairs} pairs:

{differences}

The values stand in [presets.json](presets.json) too. `python -m docs.presets` makes all three files anew; it takes the
flags of `run` that say where things are, or with `--comparison FILE` a comparison that was made before.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the three files. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.presets", description=__doc__)
    parser.add_argument("--comparison", type=Path, metavar="FILE", help="one that was made before, of all presets")
    parser.add_argument("--out", type=Path, default=Path("docs"), metavar="FOLDER", help="default: %(default)s")
    given, flags = parser.parse_known_args(arguments)
    try:
        write(_compared(flags) if given.comparison is None else Comparison.load(given.comparison), given.out)
    except BeamlineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def write(comparison: Comparison, out: Path) -> None:
    """Writes presets.md, presets.json and presets.png. Raises: InputError: it is of something else."""
    _require_presets(comparison)
    # Where things were on the machine that measured says nothing to a reader.
    comparison = replace(comparison, arguments=())
    (out / "presets.md").write_text(text(comparison), encoding="utf-8")
    comparison.save(out / "presets.json")
    write_comparison(comparison, out / "presets.png")


def text(comparison: Comparison) -> str:
    """The page in Markdown."""
    names = "|".join(sorted(map(re.escape, PRESETS), key=len, reverse=True))
    lines = [re.sub(rf"(?<![\w-])({names})(?![\w-])", r"`\1`", line) for line in differences(comparison)]
    return TEXT.format(
        environment="{processors} processors ({machine}), {system}, Python {python}".format_map(comparison.environment),
        threads=comparison.threads,
        rounds=comparison.rounds,
        pairs=len(comparison.pairs),
        table=table(comparison.entries),
        differences="\n".join(f"- {line}" for line in lines),
    )


def table(entries: Sequence[Entry]) -> str:
    """The entries as a table in Markdown."""
    lines = [HEADER, ("---", "---", *("---:" for _ in HEADER[2:])), *(_cells(entry) for entry in entries)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(entry: Entry) -> tuple[str, ...]:
    assert entry.interval is not None
    return (
        f"`{entry.preset}`{' (default)' if entry.preset == DEFAULT else ''}",
        entry.layers,
        f"{entry.parameters:,}",
        str(entry.epochs),
        str(entry.batch_size),
        f"{entry.accuracy:.4f}{'' if entry.verdict == 'passed' else ' (refused)'}",
        " to ".join(f"{end:.4f}" for end in entry.interval),
        seconds(entry.training_seconds),
        seconds(entry.run_seconds),
        rate(entry.rate),
        NONE if entry.onnx_bytes is None else f"{entry.onnx_bytes / 1000:,.0f} kB",
    )


def _compared(flags: Sequence[str]) -> Comparison:
    _require_as_they_stand(flags)
    flags = ["--dataset", DATASET, *flags]
    with console(Screen()):
        return compare_candidates(candidates(list(PRESETS), flags), flags)[0]


def _require_as_they_stand(flags: Sequence[str]) -> None:
    """Refuses flags that say more than where things are. Raises: InputError."""
    changed = [word for word in flags if word.startswith("-") and word.split("=")[0] not in PLACES]
    if changed:
        raise InputError(
            f"{changed[0]}: the presets are compared as they stand, with no flags but {', '.join(PLACES)}: {REMEDY}"
        )


def _require_presets(comparison: Comparison) -> None:
    """Refuses what is not all presets as they stand, each of them evaluated, on MNIST."""
    if comparison.dataset != DATASET:
        raise InputError(f"the comparison is on {comparison.dataset}: {REMEDY}")
    _require_as_they_stand([word for word in comparison.arguments if word.split("=")[0] != "--dataset"])
    evaluated = [entry.preset for entry in comparison.entries if entry.rows]
    if evaluated != list(PRESETS):
        missing = [name for name in PRESETS if name not in evaluated]
        raise InputError(f"the comparison has no figures of {', '.join(missing) or 'presets in their order'}: {REMEDY}")


if __name__ == "__main__":
    sys.exit(main())
