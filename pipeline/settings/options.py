"""Command-line arguments -> Config: flags from the components' own parameters, defaults from preset and data set."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from components import evaluate, ingest, promote, train, transform, validate, verify
from components.beam import BeamOptions
from components.ingest.dataset_reference import parse_reference
from components.ingest.read_options import ReadOptions
from components.train.recipe import Seed
from pipeline.settings.config import Config
from pipeline.settings.flags import read_flags
from pipeline.settings.preset_file import find_recipe
from pipeline.settings.presets import DEFAULT, MIN_ACCURACY
from serving.arguments.parser import Arguments
from serving.errors import InputError
from serving.process.program import PIPELINE
from serving.registry.registry import require_model_name

# The data set of a run that names none.
DATASET = "mnist"


@dataclasses.dataclass(frozen=True)
class ValidateOptions(validate.Params):
    """Limits on the data. A structural rule, e.g. `shape` or `nan`, cannot be turned off: it always stops the run.

    Attributes:
        schema: file that the command `schema` wrote: the shape, classes and class proportions that the training
            split must have.
    """

    schema: Path | None = None


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Runs the pipeline: finds existing artifacts, executes the other steps, and promotes a good model.

    Everything after `--` goes to Beam, for the data-parallel jobs of ingest and analyze.

    Attributes:
        dataset: as TensorFlow Datasets names it, or folder:PATH, arrays:PATH or table:PATH.
        preset: a named recipe, or a JSON file with one; the flags below change single values of it.
        model: the name to promote under; by default the data set's own.
        manual_dir: folder with the data set's original files, used instead of a download.
        data_dir: where TensorFlow Datasets keeps prepared sets; by default its own folder.
        runs: folder of artifacts, history and logs.
        models: folder of promoted models.
        seed: random seed of the weights and of the order of the rows.
        explain: print why each step is executed: which part of its key changed, the old value and the new one.
        force: execute every step, even if nothing changed.
        promotion: promote a good model; without it the model is evaluated and kept, and the served version stays.
        quiet: print only what stops the run.
        verbose: print tracebacks, and the output of TensorFlow and Beam.
        json: print events, one JSON object per line.
        track: `mlflow` logs the run to MLflow too; from then on an MLflow alias follows the served version.
        ingest: what to read.
        validate: limits on the data.
        transform: how pixels become the model's input.
        train: the recipe.
        evaluate: limits of the gate on the test set (accuracy, recall).
        verify: limits on the costs of scoring.
        promote: comparison with the champion.
    """

    dataset: str
    preset: str
    ingest: ReadOptions
    validate: ValidateOptions
    transform: transform.Params
    train: train.Recipe
    evaluate: evaluate.Params
    verify: verify.Params
    promote: promote.Params
    model: str | None = None
    manual_dir: Path | None = None
    data_dir: Path | None = None
    runs: Path = Path("runs")
    models: Path = Path("models")
    seed: Seed = 7
    explain: bool = False
    force: bool = False
    promotion: bool = True
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    track: Literal["none", "mlflow"] = "none"


@dataclasses.dataclass(frozen=True)
class Verbosity:
    """How much is printed, and how.

    Attributes:
        quiet: only what stops a run.
        verbose: tracebacks too, and the output of TensorFlow and Beam.
        json: every line is a JSON object, an event.
    """

    quiet: bool = False
    verbose: bool = False
    json: bool = False


@dataclasses.dataclass(frozen=True)
class Request:
    """The parsed command line of `run`; fields that are not listed are those of `RunOptions`.

    Attributes:
        config: what to run, and where.
        verbosity: how much to print.
        explicitly_chosen: the user named the data set or the model, so the embedded data set must not replace a
            missing one.
        arguments: the command line's arguments, unchanged.
        track: log it to MLflow.
    """

    config: Config
    verbosity: Verbosity
    explain: bool
    force: bool
    promotion: bool
    explicitly_chosen: bool
    arguments: tuple[str, ...]
    track: bool = False


def parse_run(arguments: list[str]) -> Request:
    """Reads the arguments of `python -m pipeline run`.

    Raises:
        InputError: an unknown flag, preset or value; the message names the nearest known one.
        SystemExit: `--help`.
    """
    ours, beam = split_beam(arguments)
    defaults = _defaults(ours)
    given = read_flags(defaults, f"{PIPELINE} run", ours)
    dataset, source = parse_reference(given.dataset)
    limits = dataclasses.asdict(given.validate)
    schema = limits.pop("schema")
    config = Config(
        model=given.model or "",
        runs=given.runs,
        models=given.models,
        beam=BeamOptions(tuple(beam)),
        source=source,
        data_dir=given.data_dir,
        manual_dir=given.manual_dir,
        schema=schema,
        ingest=ingest.Params(dataset=dataset, **vars(given.ingest)),
        validate=validate.Params(**limits),
        transform=given.transform,
        train=train.Params(preset=defaults.preset, seed=given.seed, **vars(given.train)),
        evaluate=given.evaluate,
        verify=given.verify,
        promote=given.promote,
    )
    if given.model is None:
        config = dataclasses.replace(config, model=config.data().model)
    require_model_name(config.model)
    if given.quiet and given.verbose:
        raise InputError("--quiet and --verbose contradict each other: give one of them")
    return Request(
        config,
        Verbosity(given.quiet, given.verbose, given.json),
        given.explain,
        given.force,
        given.promotion,
        explicitly_chosen=given.model is not None or any(word.split("=")[0] == "--dataset" for word in ours),
        arguments=tuple(arguments),
        track=given.track == "mlflow",
    )


def split_beam(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The arguments before `--`, and those after it, for Beam."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _defaults(arguments: list[str]) -> RunOptions:
    """The defaults that depend on preset and data set, which are therefore read first."""
    first = Arguments(f"{PIPELINE} run", "What the other flags' defaults depend on.", add_help=False)
    first.add_argument("--preset", default=DEFAULT)
    first.add_argument("--dataset", default=DATASET)
    known, _ = first.parse_known_args(arguments)
    found = find_recipe(known.preset)
    dataset = known.dataset.split(":")[0]
    return RunOptions(
        dataset=known.dataset,
        preset=found.preset,
        ingest=ReadOptions(),
        validate=ValidateOptions(),
        transform=transform.Params(),
        train=found.recipe,
        evaluate=evaluate.Params(min_accuracy=MIN_ACCURACY.get(dataset)),
        verify=verify.Params(),
        promote=promote.Params(),
    )
