"""Writes docs/presets.md, .json and .png, what each preset reaches on MNIST: `python -m tools.presets`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.comparison.candidate_runs import compare_candidates
from pipeline.comparison.candidates import parse_candidates
from pipeline.comparison.comparison import Comparison, Entry
from pipeline.comparison.wording import NONE, describe_differences, format_rate, format_seconds
from pipeline.report.comparison_report import report_comparison
from pipeline.report.figures.comparison_plot import write_comparison
from pipeline.screen.console import console
from pipeline.settings.options import Verbosity
from pipeline.settings.presets import DEFAULT, PRESETS
from serving.errors import BeamlineError, InputError

DATASET = "mnist"
REMEDY = "make one with python -m pipeline compare --dataset mnist"
# Flags of `run` that change no figure.
PLACES = ("--data-dir", "--manual-dir", "--runs", "--models", "--verbose", "--json", "--quiet")
HEADER: tuple[str, ...] = ("preset", "layers", "parameters", "epochs", "batch", "test accuracy", "95 % interval")
HEADER += ("training", "whole run", "scored images/s", "ONNX")

TEXT = """# The presets on MNIST

The unchanged presets, compared by `python -m pipeline compare --dataset mnist`. The accuracy is that of the 10,000
test images, its interval Wilson's. *Training* is the time of the step `train`, *whole run* that of the run, in which
the steps shared with an earlier run were cached. The rate is onnxruntime's with {threads} threads, the median of
{rounds} rounds in which the models took turns, and the range of 8 in 10 rounds. Measured with {environment}.

One model of each preset is compared. The seed alone moves the default preset by a quarter of a point
([what the gate does with luck](luck.md)), so small differences say nothing about the recipes, even significant ones.

A linear model does not reach the limit of 0.96 that the gate has for MNIST, and is refused. `linear` and
`linear-sigmoid` learn the same weights: Keras computes the sparse cross-entropy from the scores before the activation.

![Accuracy over parameters, and the times of training and scoring](presets.png)

{table}

Significant differences, by McNemar's test with Holm's correction over all {pairs} pairs:

{differences}

[presets.json](presets.json) has the values. `python -m tools.presets` makes all three files again; it takes the flags
of `run` for folders, or with `--comparison FILE` an earlier comparison.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the three files. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.presets", description=__doc__)
    parser.add_argument("--comparison", type=Path, metavar="FILE", help="an earlier one, of all presets")
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
    lines = [re.sub(rf"(?<![\w-])({names})(?![\w-])", r"`\1`", line) for line in describe_differences(comparison)]
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
        format_seconds(entry.training_seconds),
        format_seconds(entry.run_seconds),
        format_rate(entry.rate),
        NONE if entry.onnx_bytes is None else f"{entry.onnx_bytes / 1000:,.0f} kB",
    )


def _compared(flags: Sequence[str]) -> Comparison:
    _require_as_they_stand(flags)
    flags = ["--dataset", DATASET, *flags]
    with console(Verbosity()):
        candidates = parse_candidates(list(PRESETS), flags)
        comparison = compare_candidates(candidates, flags)
        report_comparison(comparison, candidates[0].request.config.runs)
        return comparison


def _require_as_they_stand(flags: Sequence[str]) -> None:
    """Refuses flags that say more than where things are. Raises: InputError."""
    changed = [word for word in flags if word.startswith("-") and word.split("=")[0] not in PLACES]
    if changed:
        raise InputError(
            f"{changed[0]}: the presets are compared unchanged, with no flags but {', '.join(PLACES)}: {REMEDY}"
        )


def _require_presets(comparison: Comparison) -> None:
    """Refuses what is not all presets unchanged, each of them evaluated, on MNIST."""
    if comparison.dataset != DATASET:
        raise InputError(f"the comparison is on {comparison.dataset}: {REMEDY}")
    _require_as_they_stand([word for word in comparison.arguments if word.split("=")[0] != "--dataset"])
    evaluated = [entry.preset for entry in comparison.entries if entry.rows]
    if evaluated != list(PRESETS):
        missing = [name for name in PRESETS if name not in evaluated]
        raise InputError(f"the comparison has no figures of {', '.join(missing) or 'presets in their order'}: {REMEDY}")


if __name__ == "__main__":
    sys.exit(main())
