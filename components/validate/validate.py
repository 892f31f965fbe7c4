"""Examples + Statistics -> Anomalies: the data contract; an error stops the run before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args

from components.artifacts.anomalies import Anomalies, Anomaly, Severity
from components.artifacts.examples import SPLITS, Examples
from components.artifacts.schema import Schema
from components.artifacts.statistics import Statistics
from components.run_context import RunContext
from components.validate.champion_schema import NoSchemaError, champion_schema
from components.validate.distribution_rules import check_drift, check_skew
from components.validate.duplicate_rules import check_label_conflicts, check_leaks, check_repeats
from components.validate.row_text import DescribeRow
from components.validate.split_rules import (
    check_channels,
    check_classes,
    check_dominant_class,
    check_images,
    check_labels,
)
from serving.arguments.ranges import Range, require_ranges
from serving.errors import InputError

# Training on data that break one of these is impossible: their severity cannot be changed, and a breach always stops
# the run.
Structural = Literal["split-empty", "type", "shape", "range", "nan", "label-range", "label-fraction", "label-nan"]
# fmt: off
Settable = Literal[
    "class-untrained", "class-untested", "class-unused", "class-rare", "class-dominant",
    "channels-first", "leaks", "contradictions", "duplicates", "constant", "skew", "drift", "schema",
]
# fmt: on
RuleName = Literal[Structural, Settable]
# The rules that compare training with earlier data.
BaselineRule = Literal["drift", "schema"]
RULES: tuple[RuleName, ...] = get_args(RuleName)
STRUCTURAL: tuple[Structural, ...] = get_args(Structural)
SETTABLE: tuple[Settable, ...] = get_args(Settable)

Fraction = Annotated[float, Range(0, 1)]
# A Jensen-Shannon divergence is at most 1 bit.
Bits = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Params:
    """The rules and limits of the data contract; a structural rule, e.g. `shape` or `nan`, always stops the run.

    Attributes:
        error: rules whose breach stops the run.
        warn: rules whose breach is shown and recorded, and does not stop the run.
        off: rules that are not checked.
        min_class_rows: a class with fewer training rows is rare (class-rare).
        max_class_fraction: largest fraction of a split's rows that one class may have (class-dominant).
        max_leaked_fraction: largest fraction of the test images that may be in training too (leaks).
        max_contradicting_fraction: largest fraction of all rows that may be images with several labels
            (contradictions).
        max_skew: largest Jensen-Shannon divergence beyond sampling noise, in bits, between test and training (skew).
        max_drift: largest Jensen-Shannon divergence beyond sampling noise, in bits, between training and the
            champion's training data (drift) or the schema (schema).
    """

    error: tuple[RuleName, ...] = ()
    warn: tuple[RuleName, ...] = ()
    off: tuple[RuleName, ...] = ()
    min_class_rows: Annotated[int, Range(0, 10**9)] = 10
    max_class_fraction: Fraction = 0.95
    max_leaked_fraction: Fraction = 0.001
    max_contradicting_fraction: Fraction = 0.001
    max_skew: Bits = 0.1
    max_drift: Bits = 0.1

    def __post_init__(self) -> None:
        """Checks the limits and the rules. Raises: InputError: a limit is out of range, or a rule cannot be set so."""
        require_ranges(self, Params, "--validate.")
        seen: dict[str, str] = {}
        for setting in ("error", "warn", "off"):
            for rule in getattr(self, setting):
                if rule in STRUCTURAL:
                    raise InputError(
                        f"--validate.{setting} {rule}: the severity of this rule cannot be changed, because training "
                        f"on data that break it is impossible: choose from {', '.join(SETTABLE)}"
                    )
                if seen.setdefault(rule, setting) != setting:
                    raise InputError(
                        f"--validate.{seen[rule]} {rule} and --validate.{setting} {rule} contradict each other: "
                        "give one of them"
                    )

    def severities(self) -> dict[str, Severity]:
        """The severities that the user chose, by rule."""
        return {**dict.fromkeys(self.error, "error"), **dict.fromkeys(self.warn, "warn")}


class Baselines(NamedTuple):
    """The schemas that training is compared with.

    Attributes:
        schemas: by the rule that compares with it.
        skipped: for each rule that cannot be checked, the reason, as a sentence.
    """

    schemas: Mapping[BaselineRule, Schema]
    skipped: tuple[str, ...] = ()


def fingerprint(examples: Examples, statistics: Statistics, params: Params, context: RunContext) -> dict[str, str]:
    """The schema's digest, and how the data differ from the champion's, if they do.

    Raises:
        InputError: the schema cannot be read.
    """
    baselines = _baselines(params, context)
    values = {}
    if "schema" in baselines.schemas:
        values["schema"] = baselines.schemas["schema"].digest()
    if "drift" in baselines.schemas and "train" in statistics.splits:
        now = Schema.of(examples, statistics.splits["train"])
        values["drift"] = "; ".join(map(str, check_drift("drift", now, baselines.schemas["drift"], params.max_drift)))
    values["skipped"] = "; ".join(baselines.skipped)
    return {name: value for name, value in values.items() if value}


def run(examples: Examples, statistics: Statistics, params: Params, context: RunContext, out: Path) -> Anomalies:
    """Checks the statistics of both splits: against the data set's declaration, each other, and earlier data.

    Raises:
        InputError: the schema cannot be read.
    """
    baselines = _baselines(params, context)
    off = {*params.off, *(() if context.schema else ("schema",)), *(("drift",) if baselines.skipped else ())}
    return Anomalies.of(
        out,
        find_anomalies(examples, statistics, params, baselines.schemas, examples.describe),
        tuple(rule for rule in RULES if rule not in off),
        baselines.skipped,
    ).save()


def find_anomalies(
    examples: Examples,
    statistics: Statistics,
    params: Params,
    baselines: Mapping[BaselineRule, Schema],
    describe: DescribeRow,
) -> list[Anomaly]:
    """Every breach of the contract; opens no file.

    Severities are those that the user chose, if any. The examples have the declaration: shape and classes. A split
    without rows is missing in the statistics. `describe` gives a row as text.
    """
    chosen = params.severities()
    return [
        replace(anomaly, severity=chosen.get(anomaly.rule, anomaly.severity))
        for anomaly in _all_anomalies(examples, statistics, params, baselines, describe)
        if anomaly.rule not in params.off
    ]


def _all_anomalies(
    examples: Examples,
    statistics: Statistics,
    params: Params,
    baselines: Mapping[BaselineRule, Schema],
    describe: DescribeRow,
) -> Iterator[Anomaly]:
    splits, duplicates, names = statistics.splits, statistics.duplicates, examples.class_names
    rows = {split: counted.rows for split, counted in splits.items()}
    for split in SPLITS:
        if split not in splits:
            yield Anomaly("split-empty", split, "has no rows")
    for split, counted in splits.items():
        yield from check_images(split, counted, examples.image_shape, describe)
        yield from check_channels(split, counted.rows, examples.image_shape)
        yield from check_labels(split, counted, len(names), describe)
        yield from check_dominant_class(split, counted, names, params.max_class_fraction)
    schemas = {split: Schema.of(examples, counted) for split, counted in splits.items()}
    if schemas.keys() >= set(SPLITS):
        yield from check_classes(splits, names, params.min_class_rows)
        yield from check_skew(schemas["train"], schemas["test"], params.max_skew)
    yield from check_leaks(duplicates, rows.get("test", 0), params.max_leaked_fraction, describe)
    limit = params.max_contradicting_fraction
    yield from check_label_conflicts(duplicates, sum(rows.values()), names, limit, describe)
    yield from check_repeats(duplicates, rows, describe)
    if "train" in schemas:
        for rule, baseline in baselines.items():
            yield from check_drift(rule, schemas["train"], baseline, params.max_drift)


def read_schema(params: Params, context: RunContext) -> Schema | None:
    """The schema that training data must match; None if none is required. Raises: InputError: it cannot be read."""
    return None if context.schema is None or "schema" in params.off else Schema.load(context.schema)


def _baselines(params: Params, context: RunContext) -> Baselines:
    schemas: dict[BaselineRule, Schema] = {}
    if (schema := read_schema(params, context)) is not None:
        schemas["schema"] = schema
    if not context.model or "drift" in params.off:
        return Baselines(schemas)
    try:
        champion = champion_schema(context.model_folder)
    except NoSchemaError as error:
        return Baselines(schemas, (f"drift is not checked: {error}",))
    # Without a champion, nothing can have drifted: the rule still counts as checked.
    if champion is not None:
        schemas["drift"] = champion
    return Baselines(schemas)
