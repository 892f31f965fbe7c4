"""Writes docs/reference.md, every command with every flag, from the code: `python -m docs.reference`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from docs.flags import Command, Flag, read_command
from pipeline.__main__ import COMMANDS, main
from pipeline.presets import DEFAULT, MAX_DROP, MIN_ACCURACY
from serving import batch_score, errors
from serving.interrupts import Terminated

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "reference.md"
# As many values stand in a table's cell; more of them stand below the table.
MOST_CHOICES = 8

HEAD = """# Reference

Every command, flag, exit code, variable and file. `python -m docs.reference` writes this page from the code. What the
commands are for is in the [guide](guide.md). Every command takes `-h` and `--help` too.
"""
RUN_DEFAULTS = f"""The defaults are those of the preset `{DEFAULT}` on `mnist`. Another [preset](presets.md) has its own
for `--train`, another data set its own limits: `--evaluate.min-accuracy` has a default for {{accuracies}}, and for no
other set; `--promote.max-drop-fraction` has another one for {{drops}}.
"""
EXIT_CODES = (
    (0, "done: promoted, or nothing to do"),
    (errors.BeamlineError.exit_code, "failed"),
    (errors.InputError.exit_code, "wrong usage or bad input; one sentence says what to do"),
    (errors.RefusedError.exit_code, "refused by a gate: data, evaluation, verification or champion"),
    (errors.BundleError.exit_code, "bundle refused: it is not, byte for byte, what was promoted"),
    (batch_score.DRIFTED, "the images drifted, with `--fail-on-drift`"),
    (130, "interrupted (Ctrl-C)"),
    (Terminated.exit_code, "terminated (SIGTERM)"),
)
ENVIRONMENT = (
    ("TFDS_DATA_DIR", "where TensorFlow Datasets keeps prepared sets, without `--data-dir`; `~/tensorflow_datasets`"),
    ("MLFLOW_TRACKING_URI", "the server or database of `run --track mlflow`; `runs/mlflow.db`"),
    ("MLFLOW_REGISTRY_URI", "its registry of models, where that is another one"),
    ("MLFLOW_EXPERIMENT_NAME", "its experiment; the model's name"),
    ("NO_COLOR", "set to anything, no command prints in colours"),
    ("PYTHONPATH", "handed on to the runs that `compare` starts, with the folder of Beamline before it"),
    ("COLUMNS", "how wide `--help` is; the terminal's width"),
    ("ORT_DISABLE_TELEMETRY", "1 where it is not set: onnxruntime tells nobody anything"),
    ("TF_NUM_INTRAOP_THREADS", "set by every run, from `--train.intra-op-threads`, because the weights depend on it"),
)
FILES = (
    (
        "runs/artifacts/<step>-<key>/",
        "what a step made, in `payload/`, and `record.json`, without which it never happened",
    ),
    ("runs/history/<run>.json", "a run: what it was told, what became of each step, figures, verdict"),
    ("runs/logs/<run>.log", "everything that was said, with tracebacks and what TensorFlow and Beam print"),
    ("runs/reports/<run>.html", "the run's model card; its pictures are in the folder of the same name"),
    ("runs/index.html", "the list of the newest 200 runs"),
    ("runs/tensorboard/<run>-<model>-<preset>/", "the curves of a training"),
    ("runs/fingerprints/", "digests of files that nobody touched since"),
    ("runs/comparisons/<number>.json", "what `compare` found; its picture and page are beside it"),
    ("runs/tuning/<study>/", "the state of a search by `tune`, and the best recipe"),
    ("runs/.staging/", "work that is going on, or was interrupted"),
    ("runs/mlflow.db", "what `--track mlflow` logged, without a server; files are in `runs/mlflow/`"),
    ("models/<model>/<version>/", "a bundle: `manifest.json`, `model.onnx`, SavedModel and what they are checked with"),
    ("models/<model>/promoted.json", "which version serves, and its SHA-256: the truth"),
    ("models/<model>/history.jsonl", "who let which version serve, when and why; it only grows"),
    ("models/<model>/tracking.json", "the MLflow that is told what serves, where one is"),
    ("models/<model>/config.pbtxt", "which version Triton is to serve"),
    ("models/models.config", "which versions TensorFlow Serving is to serve"),
    ("<images>.predictions.csv", "what `batch_score` writes, unless `--out` says otherwise"),
    ("<output>.json", "beside each output: model, version, digest, input, settings, drift and what it took"),
)


def reference() -> str:
    """The whole page, in Markdown."""
    limits = RUN_DEFAULTS.format(accuracies=_limits(MIN_ACCURACY), drops=_limits(MAX_DROP))
    scorer = read_command(batch_score.main, [])
    parts = [HEAD, *_overview(scorer)]
    for name in COMMANDS:
        parts += _section(read_command(main, [name]), [limits] if name == "run" else [])
    parts += _section(scorer, [])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    parts += ["## make\n", "Every target sets up `.venv` by itself. make ends with 2 whatever a command ended with.\n"]
    parts += [table(("target", "what it does"), _targets(makefile))]
    parts += [table(("variable", "default", "what it is"), _variables(makefile))]
    parts += ["## Exit codes\n", table(("code", "meaning"), ((str(code), words) for code, words in EXIT_CODES))]
    parts += ["## Environment variables\n", table(("variable", "what it says; else"), _coded(ENVIRONMENT))]
    parts += ["## Files\n", "`runs` and `models` are what `--runs` and `--models` say.\n"]
    parts += [table(("file or folder", "what is there"), _coded(FILES))]
    return "\n".join(parts)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; its cells have no line breaks."""
    lines = [heading, ["---"] * len(heading), *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _overview(scorer: Command) -> list[str]:
    rows = [(f"[`python -m pipeline {name}`](#{_anchor(_title(name))})", what) for name, what in COMMANDS.items()]
    title = scorer.usage.split()[2]
    rows += [(f"[`python -m {title}`](#{_anchor(title)})", scorer.text[0]), ("[`make`](#make)", "all of it, by target")]
    return [table(("command", "what it does"), rows)]


def _limits(limits: Mapping[str, float]) -> str:
    return ", ".join(f"`{dataset}` ({limit})" for dataset, limit in limits.items())


def _title(name: str) -> str:
    return f"pipeline {name}"


def _anchor(title: str) -> str:
    """How a forge calls a heading's place."""
    return re.sub(r"[^\w -]", "", title).replace(" ", "-")


def _section(command: Command, notes: Sequence[str]) -> list[str]:
    words = command.usage.split()
    title = _title(words[3]) if words[2] == "pipeline" else words[2]
    parts = [f"## {title}\n", f"`{command.usage}`\n", *(f"{_marked(text)}\n" for text in command.text), *notes]
    for heading, flags in command.groups:
        parts += [f"### {heading[:1].upper()}{heading[1:]}\n"] * bool(heading)
        ordered = sorted(flags, key=lambda flag: flag.names[0].startswith("-"))
        parts += [table(("argument", "value", "default", "meaning"), map(_row, ordered))]
        long = dict.fromkeys(flag.choices for flag in flags if len(flag.choices) > MOST_CHOICES)
        parts += [f"The names: {_listed(choices)}.\n" for choices in long]
    return parts


def _row(flag: Flag) -> tuple[str, ...]:
    choices = "the names below" if len(flag.choices) > MOST_CHOICES else _listed(flag.choices)
    value = " ".join(part for part in (flag.value, choices) if part)
    return _listed(flag.names), value or "–", flag.default or "–", _marked(flag.meaning).rstrip(".")


def _targets(makefile: str) -> list[tuple[str, str]]:
    found = re.findall(r"^([a-z-]+):.*## (.*)$", makefile, flags=re.MULTILINE)
    return [(f"`make {target}`", what) for target, what in found]


def _variables(makefile: str) -> list[tuple[str, str, str]]:
    found = re.findall(r"^# (.*)\n([A-Z_]+) \?= ?(.*)$", makefile, flags=re.MULTILINE)
    return [(f"`{name}`", f"`{value}`" if value else "–", what.rstrip(".")) for what, name, value in found]


def _coded(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"`{name}`", what) for name, what in rows]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _marked(text: str) -> str:
    """Text of a docstring, with the flags in it as code."""
    return re.sub(r"(?<![`\w-])(--[\w.-]*\w)(?!`)", r"`\1`", text)


def _escaped(cell: str) -> str:
    """A cell as a forge shows it: outside of code, an angle bracket would begin a tag."""
    pieces = re.split(r"(`[^`]*`)", cell.replace("|", r"\|"))
    return "".join(piece if piece.startswith("`") else piece.replace("<", "&lt;") for piece in pieces)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"wrote {TARGET}", file=sys.stderr)
