"""Command-line arguments -> Config: flags from the components' own parameters, defaults from preset and data set."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from components import evaluate, ingest, promote, train, transform, validate, verify
from components.beam import BeamOptions
from components.sources.named import parse
from pipeline.config import Config
from pipeline.console import Screen
from pipeline.flags import read_flags
from pipeline.preset_file import find_recipe
from pipeline.presets import DEFAULT, MAX_DROP, MIN_ACCURACY
from serving.arguments import Arguments
from serving.errors import InputError
from serving.registry import require_plain_name


def _options(params: type[Any], without: tuple[str, ...] = ()) -> type[Any]:
    """The flags of a component: its parameters but those that a flag of the whole run sets."""
    kept = [
        (field.name, field.type, dataclasses.field(default=field.default))
        for field in dataclasses.fields(params)
        if field.name not in without
    ]
    made = dataclasses.make_dataclass(params.__module__.rpartition(".")[2], kept, frozen=True)
    made.__doc__ = params.__doc__
    made.__module__ = params.__module__
    return made


# What runs where no data set is named.
DATASET = "mnist"
# Parameters of components that other flags set, or that say where things are.
OF_THE_RUN = ("dataset", "data_dir", "manual_dir", "preset", "seed", "model", "models", "run")
PLACES = ("path", "memory", "champion")
# What a person says who promotes a run's model by hand.
BY_HAND = ("reason", "restore")
IngestOptions: Any = _options(ingest.Params, (*OF_THE_RUN, *PLACES))
ValidateOptions: Any = _options(validate.Params, PLACES)
TransformOptions: Any = _options(transform.Params)
TrainOptions: Any = _options(train.Params, OF_THE_RUN)
EvaluateOptions: Any = _options(evaluate.Params)
VerifyOptions: Any = _options(verify.Params)
PromoteOptions: Any = _options(promote.Params, (*OF_THE_RUN, *BY_HAND))
GROUPS = {"ingest": IngestOptions, "validate": ValidateOptions, "transform": TransformOptions, "train": TrainOptions}
GROUPS |= {"evaluate": EvaluateOptions, "verify": VerifyOptions, "promote": PromoteOptions}


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Runs the pipeline: what is already made is found, the rest is executed, a good model is promoted.

    Everything after `--` goes to Beam, for the data-parallel jobs of ingest and analyze.

    Attributes:
        dataset: as TensorFlow Datasets names it, or folder:PATH, or arrays:PATH.
        preset: a named recipe, or a JSON file with one; the flags below change single values of it.
        model: the name to promote under; the data set's own where none is given.
        manual_dir: folder with the data set's original files, taken instead of the network.
        data_dir: where TensorFlow Datasets keeps prepared sets; its own default where none is given.
        runs: folder of artifacts, history and logs.
        models: folder of promoted models.
        seed: of the weights and of the order of the rows.
        explain: say of each step that is executed which part of its key changed, the old value and the new one.
        force: execute every step, also where nothing changed.
        promotion: let a good model serve; without it the model is judged and kept, and what serves is unchanged.
        quiet: say nothing but what stops the run.
        verbose: show tracebacks, and what TensorFlow and Beam print.
        json: print events, one JSON object a line.
        track: `mlflow` logs the run there too, and lets an alias follow what serves from then on.
        ingest: what to read.
        validate: what the data may be like.
        transform: how pixels become the model's input.
        train: the recipe.
        evaluate: the gate.
        verify: how close is equal.
        promote: against what serves.
    """

    dataset: str
    preset: str
    ingest: IngestOptions
    validate: ValidateOptions
    transform: TransformOptions
    train: TrainOptions
    evaluate: EvaluateOptions
    verify: VerifyOptions
    promote: PromoteOptions
    model: str | None = None
    manual_dir: Path | None = None
    data_dir: Path | None = None
    runs: Path = Path("runs")
    models: Path = Path("models")
    seed: int = 7
    explain: bool = False
    force: bool = False
    promotion: bool = True
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    track: Literal["none", "mlflow"] = "none"


@dataclasses.dataclass(frozen=True)
class Request:
    """What a user asked for.

    Attributes:
        config: what to run, and where.
        screen: what to show.
        explain: say why steps are executed.
        force: execute every step.
        promotion: let the model serve where it passed every gate.
        named: the data set or the model was asked for by name, so that no other may take its place.
        arguments: as they were given.
        track: log it to MLflow.
    """

    config: Config
    screen: Screen
    explain: bool
    force: bool
    promotion: bool
    named: bool
    arguments: tuple[str, ...]
    track: bool = False


def parse_run(arguments: list[str]) -> Request:
    """Reads the arguments of `python -m pipeline run`.

    Raises:
        InputError: an unknown flag, preset or value, with the nearest that there is.
        SystemExit: `--help`.
    """
    ours, beam = split_beam(arguments)
    defaults = _defaults(ours)
    given = read_flags(RunOptions, defaults, GROUPS, "python -m pipeline run", ours)
    data = _data(given)
    model = data.source.model if given.model is None else given.model
    config = Config(
        model=model,
        runs=given.runs,
        models=given.models,
        beam=BeamOptions(tuple(beam)),
        ingest=data,
        validate=validate.Params(champion=given.models / model, **vars(given.validate)),
        transform=transform.Params(**vars(given.transform)),
        train=train.Params(preset=defaults.preset, seed=given.seed, **vars(given.train)),
        evaluate=evaluate.Params(**vars(given.evaluate)),
        verify=verify.Params(**vars(given.verify)),
        promote=promote.Params(model=model, models=given.models, run="", **vars(given.promote)),
    )
    require_plain_name(config.model)
    if given.quiet and given.verbose:
        raise InputError("--quiet and --verbose contradict each other: give one of them")
    return Request(
        config,
        Screen(given.quiet, given.verbose, given.json),
        given.explain,
        given.force,
        given.promotion,
        named=given.model is not None or _named(ours),
        arguments=tuple(arguments),
        track=given.track == "mlflow",
    )


def _data(given: RunOptions) -> ingest.Params:
    dataset, path = parse(given.dataset)
    return ingest.Params(
        dataset=dataset,
        path=path,
        data_dir=given.data_dir,
        manual_dir=given.manual_dir,
        memory=given.runs / "fingerprints",
        **vars(given.ingest),
    )


def _named(arguments: list[str]) -> bool:
    """Whether a data set is among the arguments."""
    return any(word.split("=")[0] == "--dataset" for word in arguments)


def split_beam(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What stands before `--`, and what after it is for Beam."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _defaults(arguments: list[str]) -> RunOptions:
    """The defaults that preset and data set give; both are read before the flags that they are defaults of."""
    first = Arguments("python -m pipeline run", "What the other flags' defaults depend on.", add_help=False)
    first.add_argument("--preset", default=DEFAULT)
    first.add_argument("--dataset", default=DATASET)
    known, _ = first.parse_known_args(arguments)
    recipe = dataclasses.asdict(find_recipe(known.preset))
    dataset = known.dataset.split(":")[0]
    return RunOptions(
        dataset=known.dataset,
        preset=recipe["preset"],
        ingest=IngestOptions(),
        validate=ValidateOptions(),
        transform=TransformOptions(),
        train=TrainOptions(**{name: value for name, value in recipe.items() if name not in OF_THE_RUN}),
        evaluate=EvaluateOptions(min_accuracy=MIN_ACCURACY.get(dataset)),
        verify=VerifyOptions(),
        promote=PromoteOptions(max_drop_fraction=MAX_DROP.get(dataset, promote.Params.max_drop_fraction)),
    )
