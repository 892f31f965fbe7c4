"""Examples + Statistics -> Anomalies: the data contract, whose breach stops the run before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from components.artifacts.anomalies import Anomalies, Anomaly, Severity
from components.artifacts.examples import SPLITS, Examples
from components.artifacts.reference import Reference
from components.artifacts.statistics import Statistics
from components.contract.copies import find_contradictions, find_leaks, find_repeats
from components.contract.images import find_in_images
from components.contract.labels import find_dominant, find_in_classes, find_in_labels
from components.contract.mixes import find_drift, find_skew
from components.contract.references import NoReferenceError, champion_reference
from components.contract.rows import Describe
from serving.errors import InputError

# Nothing could be trained on data that break one of these: they are always held, and always stop the run.
Structural = Literal["split-empty", "type", "shape", "range", "nan", "label-range", "label-fraction", "label-nan"]
# fmt: off
Settable = Literal[
    "class-untrained", "class-untested", "class-unused", "class-rare", "class-dominant",
    "leaks", "contradictions", "duplicates", "constant", "skew", "drift", "schema",
]
# fmt: on
RuleName = Literal[Structural, Settable]
RULES: tuple[RuleName, ...] = get_args(RuleName)
STRUCTURAL: tuple[Structural, ...] = get_args(Structural)
SETTABLE: tuple[Settable, ...] = get_args(Settable)


@dataclass(frozen=True)
class Params:
    """What the data may be like. A structural rule, e.g. `shape` or `nan`, cannot be set: it always stops the run.

    Attributes:
        error: rules of which every breach stops the run.
        warn: rules of which no breach stops the run; it is shown and kept.
        off: rules that are not held against the data.
        min_class_rows: training rows, of which a class with fewer is rare (class-rare).
        max_class_fraction: of a split's rows, a fraction, that one class may hold (class-dominant).
        max_leaked_fraction: of the test images, a fraction, that may stand in training too (leaks).
        max_contradicting_fraction: of all rows, a fraction, that images with several labels may be (contradictions).
        max_skew: bits of Jensen-Shannon divergence, beyond chance, between test and training (skew).
        max_drift: bits of Jensen-Shannon divergence, beyond chance, between training and what the champion was trained
            on (drift), or the schema (schema).
        schema: file that `python -m pipeline schema` wrote: shape, classes and mix that training has to have.
        champion: the model's folder in the registry.
    """

    error: tuple[RuleName, ...] = ()
    warn: tuple[RuleName, ...] = ()
    off: tuple[RuleName, ...] = ()
    min_class_rows: int = 10
    max_class_fraction: float = 0.95
    max_leaked_fraction: float = 0.001
    max_contradicting_fraction: float = 0.001
    max_skew: float = 0.1
    max_drift: float = 0.1
    schema: Path | None = None
    champion: Path | None = None

    def __post_init__(self) -> None:
        """Refuses limits that nothing could reach, and rules that cannot be set so. Raises: InputError."""
        if self.min_class_rows < 0:
            raise InputError(f"--validate.min-class-rows {self.min_class_rows}: give 0 or more")
        for name in ("max_class_fraction", "max_leaked_fraction", "max_contradicting_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                flag = name.replace("_", "-")
                raise InputError(f"--validate.{flag} {getattr(self, name)}: give a fraction from 0 to 1")
        for name in ("max_skew", "max_drift"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"--validate.{name.replace('_', '-')} {getattr(self, name)}: give bits from 0 to 1")
        seen: dict[str, str] = {}
        for setting in ("error", "warn", "off"):
            for rule in getattr(self, setting):
                if rule in STRUCTURAL:
                    raise InputError(
                        f"--validate.{setting} {rule}: this rule cannot be set, nothing could be trained on data that "
                        f"break it: give some of {', '.join(SETTABLE)}"
                    )
                if seen.setdefault(rule, setting) != setting:
                    raise InputError(
                        f"--validate.{seen[rule]} {rule} and --validate.{setting} {rule} contradict each other: "
                        "give one of them"
                    )

    def severities(self) -> dict[str, Severity]:
        """What the user made of rules, by name."""
        return {**dict.fromkeys(self.error, "error"), **dict.fromkeys(self.warn, "warn")}

    def frozen(self) -> Reference | None:
        """What the schema file says; None where none is held against the data. Raises: InputError."""
        return None if self.schema is None or "schema" in self.off else Reference.load(self.schema)


class Against(NamedTuple):
    """What training is held against, as far as it says something.

    Attributes:
        references: by the rule that holds them.
        skipped: why there is none though there should be, one sentence each.
    """

    references: Mapping[Literal["drift", "schema"], Reference]
    skipped: tuple[str, ...] = ()


def fingerprint(examples: Examples, statistics: Statistics, params: Params) -> dict[str, str]:
    """What the schema says, and how the data drifted from the champion's, if they did.

    Raises:
        InputError: the schema cannot be read.
    """
    against = _against(params)
    said = {"schema": against.references["schema"].digest()} if "schema" in against.references else {}
    if "drift" in against.references and "train" in statistics.splits:
        now = Reference.of(examples, statistics.splits["train"])
        said["drift"] = "; ".join(map(str, find_drift("drift", now, against.references["drift"], params.max_drift)))
    said["skipped"] = "; ".join(against.skipped)
    return {name: words for name, words in said.items() if words}


def run(examples: Examples, statistics: Statistics, params: Params, out: Path) -> Anomalies:
    """Holds both splits' statistics against what the data set declares, each other and what came before.

    Raises:
        InputError: the schema cannot be read.
    """
    against = _against(params)
    off = {*params.off, *(() if params.schema else ("schema",)), *(("drift",) if against.skipped else ())}
    return Anomalies.of(
        out,
        find_anomalies(examples, statistics, params, against.references, examples.describe),
        tuple(rule for rule in RULES if rule not in off),
        against.skipped,
    ).save()


def find_anomalies(
    examples: Examples,
    statistics: Statistics,
    params: Params,
    references: Mapping[Literal["drift", "schema"], Reference],
    describe: Describe,
) -> list[Anomaly]:
    """Every breach of the contract; no file is opened.

    Args:
        examples: what the data set declares: shape and classes.
        statistics: of its splits; one without a row is not there.
        params: limits, and what the user made of rules.
        references: what training is held against, by rule.
        describe: a row in words.
    """
    chosen = params.severities()
    return [
        replace(anomaly, severity=chosen.get(anomaly.rule, anomaly.severity))
        for anomaly in _found(examples, statistics, params, references, describe)
        if anomaly.rule not in params.off
    ]


def _found(
    examples: Examples,
    statistics: Statistics,
    params: Params,
    references: Mapping[Literal["drift", "schema"], Reference],
    describe: Describe,
) -> Iterator[Anomaly]:
    splits, copies, names = statistics.splits, statistics.duplicates, examples.class_names
    rows = {split: counted.rows for split, counted in splits.items()}
    for split in SPLITS:
        if split not in splits:
            yield Anomaly("split-empty", split, "has no row")
    for split, counted in splits.items():
        yield from find_in_images(split, counted, examples.image_shape, describe)
        yield from find_in_labels(split, counted, len(names), describe)
        yield from find_dominant(split, counted, names, params.max_class_fraction)
    like = {split: Reference.of(examples, counted) for split, counted in splits.items()}
    if like.keys() >= set(SPLITS):
        yield from find_in_classes(splits, names, params.min_class_rows)
        yield from find_skew(like["train"], like["test"], params.max_skew)
    yield from find_leaks(copies, rows.get("test", 0), params.max_leaked_fraction, describe)
    yield from find_contradictions(copies, sum(rows.values()), names, params.max_contradicting_fraction, describe)
    yield from find_repeats(copies, rows, describe)
    if "train" in like:
        for rule, reference in references.items():
            yield from find_drift(rule, like["train"], reference, params.max_drift)


def _against(params: Params) -> Against:
    references: dict[Literal["drift", "schema"], Reference] = {}
    if (frozen := params.frozen()) is not None:
        references["schema"] = frozen
    if params.champion is None or "drift" in params.off:
        return Against(references)
    try:
        champion = champion_reference(params.champion)
    except NoReferenceError as error:
        return Against(references, (f"drift is not looked for: {error}",))
    # Where nothing serves, nothing can have drifted: the rule is held, and kept.
    if champion is not None:
        references["drift"] = champion
    return Against(references)
