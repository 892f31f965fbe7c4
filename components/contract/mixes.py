"""The rules of what a split is like as a whole: test against training, training against a reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal

import numpy as np

from components.artifacts.anomalies import Anomaly, Severity
from components.artifacts.reference import Reference
from components.contract.chance import Distance, distance
from serving.traits import PIXEL_BINS

# What a reference is called, whose things the others are held against.
OWNERS = {"drift": "the champion's", "schema": "the schema's"}
# A champion learned what was right then; a schema is what a person says is right.
SEVERITIES: dict[str, Severity] = {"drift": "warn", "schema": "error"}


def find_skew(train: Reference, test: Reference, limit: float) -> Iterator[Anomaly]:
    """Where the test split is not like training, so that the gate judges something else than was learned.

    Args:
        train: what training is like.
        test: what the test split is like.
        limit: bits, 0 to 1, by which they may differ beyond chance.
    """
    for words in _differences(test, train, "training's", limit, "max-skew"):
        yield Anomaly("skew", "test", words)


def find_drift(rule: Literal["drift", "schema"], now: Reference, before: Reference, limit: float) -> Iterator[Anomaly]:
    """Where the training split is not like a reference: other images, other classes, other shares of them.

    Args:
        rule: `drift` against what the champion was trained on, `schema` against what a person froze.
        now: what training is like.
        before: the reference.
        limit: bits, 0 to 1, by which they may differ beyond chance.
    """
    owner = OWNERS[rule]
    for words in (*_declared(now, before, owner), *_differences(now, before, owner, limit, "max-drift")):
        yield Anomaly(rule, "train", words, SEVERITIES[rule])


def _declared(now: Reference, before: Reference, owner: str) -> Iterator[str]:
    if now.image_shape != before.image_shape:
        yield f"images have shape {now.image_shape}, {owner} have {before.image_shape}"
    pairs = zip_longest(now.class_names, before.class_names)
    for label, (here, there) in enumerate(pairs):
        if here != there:
            ours, theirs = ("not there" if name is None else name for name in (here, there))
            yield f"class {label} is {ours}, {owner} is {theirs}"
            # One shift renames all that follow.
            return


def _differences(now: Reference, before: Reference, owner: str, limit: float, flag: str) -> Iterator[str]:
    """A sentence on the labels and one on the pixels, where they are farther apart than the limit and chance allow."""
    rows = (now.rows, before.rows)
    if now.class_names == before.class_names and any(now.label_counts) and any(before.label_counts):
        found = distance(now.label_counts, before.label_counts, rows)
        if found.js > limit + found.chance:
            yield f"the label mix {_apart(found, owner, limit, flag)}: {_class_apart(now, before)}"
    # Images that are not uint8 have no pixel counts, and those of other channels none that compare.
    if now.image_shape == before.image_shape and len(now.pixel_counts) == len(before.pixel_counts):
        pairs = [*zip(now.pixel_counts, before.pixel_counts, strict=True)]
        apart = [
            (distance(_binned(here), _binned(there), rows), channel)
            for channel, (here, there) in enumerate(pairs)
            if any(here) and any(there)
        ]
        worst, channel = max(apart, default=(Distance(0.0, 0.0), 0))
        if worst.js > limit + worst.chance:
            here, there = (f"{_mean(counts):.1f}" for counts in pairs[channel])
            where = f" of channel {channel}" if len(pairs) > 1 else ""
            words = _apart(worst, owner, limit, flag)
            yield f"the mix of pixel values{where} {words}: their mean is {here} against {there}"


def _apart(found: Distance, owner: str, limit: float, flag: str) -> str:
    allowed = f"--validate.{flag} {limit:g} and {found.chance:.3f} for chance allow"
    return f"is {found.js:.3f} bits (Jensen-Shannon) from {owner}, more than {allowed}"


def _class_apart(now: Reference, before: Reference) -> str:
    """The class whose share differs most."""
    here, there = (np.array(reference.label_counts) / sum(reference.label_counts) for reference in (now, before))
    label = int(np.abs(here - there).argmax())
    ours, theirs = (f"{100 * fractions[label]:.1f} %" for fractions in (here, there))
    return f"class {label} ({now.class_names[label]}) has {ours} against {theirs}"


def _binned(counts: Sequence[int]) -> list[int]:
    """By brightness as the scorer bins it: an encoder that moves values by one is no other kind of image."""
    binned: list[int] = np.array(counts).reshape(PIXEL_BINS, -1).sum(axis=1).tolist()
    return binned


def _mean(counts: Sequence[int]) -> float:
    return float(np.arange(256) @ np.array(counts)) / sum(counts)
