"""Writes docs/reference.md, every command with every flag, from the code: `python -m tools.reference`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.__main__ import COMMANDS, main, summaries
from pipeline.settings.presets import DEFAULT, MARGINS, MIN_ACCURACY
from serving import batch_score, errors
from serving.interrupts import Terminated
from tools.flags import Command, Flag, read_command

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "reference.md"
# Largest number of values in a cell of a table; longer lists are below the table.
MOST_CHOICES = 8

HEAD = """# Reference

Every command, flag, exit code, variable and file. `python -m tools.reference` writes this page from the code. The
[guide](guide.md) explains how to use them. Every command takes `-h` and `--help` too. In an installation,
`beamline run` is `python -m pipeline run`, and `beamline-score` is `python -m serving.batch_score`.
"""
RUN_DEFAULTS = f"""The defaults are those of the preset `{DEFAULT}` on `mnist`. Another [preset](presets.md) has other
defaults for `--train`, another data set other limits: `--evaluate.min-accuracy` has a default only for {{accuracies}};
`auto` for `--promote.margin` is {{margins}}, unless `compare --seeds` measured the recipe.
"""
EXIT_CODES = (
    (0, "done: promoted, or nothing to do"),
    (errors.BeamlineError.exit_code, "failed"),
    (errors.InputError.exit_code, "wrong usage or bad input; one sentence tells what to do"),
    (errors.RefusedError.exit_code, "refused by a gate: data, evaluation, verification or champion"),
    (errors.BundleError.exit_code, "bundle refused: a byte differs from the promoted bundle"),
    (batch_score.DRIFTED, "the images drifted, with `--fail-on-drift`"),
    (130, "interrupted (Ctrl-C)"),
    (Terminated.exit_code, "terminated (SIGTERM)"),
)
ENVIRONMENT = (
    ("TFDS_DATA_DIR", "where TensorFlow Datasets keeps prepared sets, without `--data-dir`; `~/tensorflow_datasets`"),
    ("MLFLOW_TRACKING_URI", "the server or database of `run --track mlflow`; `runs/mlflow.db`"),
    ("MLFLOW_REGISTRY_URI", "its registry of models, if that is another server"),
    ("MLFLOW_EXPERIMENT_NAME", "its experiment; the model's name"),
    ("TMPDIR", "where temporary files are; the system's folder"),
    ("NO_COLOR", "set to anything, no command prints in colours"),
    ("PYTHONPATH", "passed to the processes that Beamline starts, after its own folder"),
    ("PYTHONSAFEPATH", "set for the worker processes of Beam, so that they import nothing from the working folder"),
    ("COLUMNS", "the width of `--help`; the terminal's width"),
    ("ORT_DISABLE_TELEMETRY", "1: onnxruntime sends no telemetry"),
    ("TF_NUM_INTRAOP_THREADS", "set by every run, from `--train.intra-op-threads`, because the weights depend on it"),
    ("KERAS_HOME", "set by every run, so that `~/.keras/keras.json` changes no model"),
    ("KERAS_…", "set or removed by every run"),
    ("TF2_BEHAVIOR, TF_USE_LEGACY_KERAS", "removed by every run"),
    (
        "TF_…, XLA_…, ONEDNN_…, DNNL_…, NVIDIA_TF32_OVERRIDE, CUDA_VISIBLE_DEVICES, OPENBLAS_…, NPY_…, MKL_…, BLIS_…, "
        "ORT_…",
        "parts of the keys of the steps whose libraries read them, because they may change values; not those for "
        "messages, memory and numbers of threads. `doctor` lists those that are set",
    ),
)
FILES = (
    (
        "runs/artifacts/<step>-<key>/",
        "the output of a step in `payload/`, and `record.json`, which makes the folder an artifact",
    ),
    ("runs/history/<run>.json", "the record of a run: configuration, outcome of each step, figures, verdict"),
    ("runs/logs/<run>.log", "all messages, with tracebacks and the output of TensorFlow and Beam"),
    ("runs/logs/<run>-refused.csv", "all pictures or records for which ingest refused the data set"),
    ("runs/reports/<run>.html", "the run's model card; its pictures are in the folder of the same name"),
    ("runs/index.html", "the list of the newest 200 runs"),
    ("runs/tensorboard/<run>-<model>-<preset>/", "the curves of a training"),
    ("runs/fingerprints/", "digests of unchanged files"),
    ("runs/seeds/", "what the seed alone moves the accuracy of a recipe, measured by `compare --seeds`"),
    ("runs/comparisons/<number>.json", "the result of `compare`; its picture and page are beside it"),
    ("runs/tuning/<study>/", "the state of a search by `tune`, and the best recipe"),
    ("runs/.staging/", "work of running or interrupted steps"),
    ("runs/mlflow.db", "the database of `--track mlflow`, without a server; files are in `runs/mlflow/`"),
    ("models/<model>/<version>/", "a bundle: `manifest.json`, `model.onnx`, SavedModel, and data for its checks"),
    ("models/<model>/promoted.json", "the version that serves, and its SHA-256"),
    ("models/<model>/history.jsonl", "the promotion events: who, when and why; append-only"),
    (
        "models/<model>/tracking.json",
        "the address of the MLflow server, if the model is tracked; of a database in the project, "
        "relative to the file's folder",
    ),
    ("models/<model>/config.pbtxt", "the version for Triton"),
    ("models/models.config", "the versions for TensorFlow Serving"),
    ("<images>.predictions.csv", "the output of `batch_score` without `--out`"),
    ("<output>.json", "the sidecar of an output: model, version, digest, input, settings, drift and timings"),
)


def reference() -> str:
    """The whole page, in Markdown."""
    margins = _limits({name: margin.value for name, margin in MARGINS.items()})
    limits = RUN_DEFAULTS.format(accuracies=_limits(MIN_ACCURACY), margins=margins)
    scorer = read_command(batch_score.main, [])
    parts = [HEAD, *_overview(scorer)]
    for name in COMMANDS:
        parts += _section(read_command(main, [name]), [limits] if name == "run" else [])
    parts += _section(scorer, [])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    parts += ["## make\n", "Every target sets up `.venv` by itself. make exits with 2 for every failure.\n"]
    parts += [table(("target", "what it does"), _targets(makefile))]
    parts += [table(("variable", "default", "what it is"), _variables(makefile))]
    parts += ["## Exit codes\n", table(("code", "meaning"), ((str(code), meaning) for code, meaning in EXIT_CODES))]
    parts += ["## Environment variables\n", table(("variable", "meaning; default"), _coded(ENVIRONMENT))]
    parts += ["## Files\n", "`runs` and `models` are the folders of `--runs` and `--models`.\n"]
    parts += [table(("file or folder", "what is there"), _coded(FILES))]
    return "\n".join(parts)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; its cells have no line breaks."""
    lines = [heading, ["---"] * len(heading), *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _overview(scorer: Command) -> list[str]:
    rows = [(f"[`python -m pipeline {name}`](#{_anchor(_title(name))})", what) for name, what in summaries().items()]
    title = scorer.usage.split()[2]
    rows += [(f"[`python -m {title}`](#{_anchor(title)})", scorer.text[0]), ("[`make`](#make)", "all of it, by target")]
    return [table(("command", "what it does"), rows)]


def _limits(limits: Mapping[str, float]) -> str:
    return ", ".join(f"`{dataset}` ({limit})" for dataset, limit in limits.items())


def _title(name: str) -> str:
    return f"pipeline {name}"


def _anchor(title: str) -> str:
    """The anchor that a forge gives to a heading."""
    return re.sub(r"[^\w -]", "", title).replace(" ", "-")


def _section(command: Command, notes: Sequence[str]) -> list[str]:
    parts_of_usage = command.usage.split()
    title = _title(parts_of_usage[3]) if parts_of_usage[2] == "pipeline" else parts_of_usage[2]
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
    return re.sub(r"`[^`]*`|(?<![\w-])--[\w.-]*\w", lambda found: f"`{found[0].strip('`')}`", text)


def _escaped(cell: str) -> str:
    """A cell as a forge shows it: outside of code, an angle bracket would begin a tag."""
    pieces = re.split(r"(`[^`]*`)", cell.replace("|", r"\|"))
    return "".join(piece if piece.startswith("`") else piece.replace("<", "&lt;") for piece in pieces)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"wrote {TARGET}", file=sys.stderr)
