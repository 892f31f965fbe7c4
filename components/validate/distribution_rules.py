"""Two Schemas -> Anomaly: the rules of distributions: test against training, training against an earlier schema."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal, NamedTuple

from components.artifacts.anomalies import Anomaly, Severity
from components.artifacts.schema import Schema

# How a message names the owner of the baseline.
OWNERS = {"drift": "the champion's", "schema": "the schema's"}
# The champion's data were right when it was trained; a schema is a person's decision about what is right.
SEVERITIES: dict[str, Severity] = {"drift": "warn", "schema": "error"}
# The 99.9 % quantile of the standard normal distribution.
QUANTILE = 3.0902323061678132


class Distance(NamedTuple):
    """The distance between two histograms, in bits of Jensen-Shannon divergence.

    Attributes:
        js: the distance, 0 to 1.
        noise: the distance that two samples of one distribution exceed in 1 of 1,000 cases.
    """

    js: float
    noise: float


def check_skew(train: Schema, test: Schema, limit: float) -> Iterator[Anomaly]:
    """Finds a test split whose distributions differ from training.

    The gate would measure the accuracy on data unlike the training data. `limit` is the largest distance beyond
    sampling noise, in bits, 0 to 1.
    """
    for message in _differences(test, train, "training's", limit, "max-skew"):
        yield Anomaly("skew", "test", message)


def check_drift(rule: Literal["drift", "schema"], now: Schema, baseline: Schema, limit: float) -> Iterator[Anomaly]:
    """Finds a training split that differs from a baseline in shape, classes or distributions.

    The rule `drift` compares with the champion's training data, `schema` with a schema file. `limit` is the largest
    distance beyond sampling noise, in bits, 0 to 1.
    """
    if now == baseline:
        # The usual case needs no arithmetic.
        return
    owner = OWNERS[rule]
    for message in (*_declarations(now, baseline, owner), *_differences(now, baseline, owner, limit, "max-drift")):
        yield Anomaly(rule, "train", message, SEVERITIES[rule])


def _declarations(now: Schema, baseline: Schema, owner: str) -> Iterator[str]:
    if now.image_shape != baseline.image_shape:
        yield f"images have shape {now.image_shape}, {owner} have {baseline.image_shape}"
    pairs = zip_longest(now.class_names, baseline.class_names)
    for label, (name_now, name_before) in enumerate(pairs):
        if name_now != name_before:
            found, expected = ("missing" if name is None else name for name in (name_now, name_before))
            yield f"class {label} is {found}, {owner} is {expected}"
            # One inserted class renames all later ones: report the first only.
            return


def _differences(now: Schema, baseline: Schema, owner: str, limit: float, flag: str) -> Iterator[str]:
    """One message on the labels and one on the pixels, if their distance exceeds limit and sampling noise."""
    rows = (now.rows, baseline.rows)
    if now.class_names == baseline.class_names and any(now.label_counts) and any(baseline.label_counts):
        found = distance(now.label_counts, baseline.label_counts, rows)
        if found.js > limit + found.noise:
            yield f"the label distribution {_excess(found, owner, limit, flag)}: {_most_changed_class(now, baseline)}"
    # Images that are not uint8 have no pixel counts; images of other channels cannot be compared.
    if now.image_shape == baseline.image_shape and len(now.pixel_counts) == len(baseline.pixel_counts):
        pairs = [*zip(now.pixel_counts, baseline.pixel_counts, strict=True)]
        distances = [
            (distance(_binned(here), _binned(before), rows), channel)
            for channel, (here, before) in enumerate(pairs)
            if any(here) and any(before)
        ]
        worst, channel = max(distances, default=(Distance(0.0, 0.0), 0))
        if worst.js > limit + worst.noise:
            mean_now, mean_before = (f"{_mean(counts):.1f}" for counts in pairs[channel])
            of_channel = f" of channel {channel}" if len(pairs) > 1 else ""
            excess = _excess(worst, owner, limit, flag)
            yield f"the pixel distribution{of_channel} {excess}: the mean is {mean_now}, {owner} is {mean_before}"


def _excess(found: Distance, owner: str, limit: float, flag: str) -> str:
    allowed = f"--validate.{flag} {limit:g} plus {found.noise:.3f} for sampling noise"
    return f"is {found.js:.3f} bits (Jensen-Shannon) from {owner}, more than {allowed}"


def _most_changed_class(now: Schema, baseline: Schema) -> str:
    """The class whose share differs most."""
    import numpy as np

    fractions = [np.array(schema.label_counts) / sum(schema.label_counts) for schema in (now, baseline)]
    label = int(np.abs(fractions[0] - fractions[1]).argmax())
    here, before = (f"{100 * of_class[label]:.1f} %" for of_class in fractions)
    return f"class {label} ({now.class_names[label]}) has {here} against {before}"


def _binned(counts: Sequence[int]) -> list[int]:
    """Counts in the scorer's bins of brightness: an encoder that changes values by one must not count as drift."""
    import numpy as np

    from serving.drift.features import PIXEL_BINS

    binned: list[int] = np.array(counts).reshape(PIXEL_BINS, -1).sum(axis=1).tolist()
    return binned


def _mean(counts: Sequence[int]) -> float:
    return sum(value * count for value, count in enumerate(counts)) / sum(counts)


def distance(one: Sequence[int], other: Sequence[int], rows: tuple[int, int]) -> Distance:
    """Computes the distance between two histograms: counts, 0 or more, in the same bins.

    If both are samples of one distribution, 8 ln 2 times their divergence in bits, divided by 1/n + 1/m, follows
    chi-squared with one degree of freedom less than there are bins (Grosse et al. 2002, Phys. Rev. E 65, 041905; here
    both histograms have equal weight). n and m are `rows`, 1 or more, for pixels too: the pixels of one image are not
    independent, and in the worst case, images of one value each, a histogram of pixels varies as one of rows does.
    """
    import numpy as np

    from serving.drift.divergence import jensen_shannon, shares

    counts = np.array([one, other])
    occupied = counts[:, counts.any(axis=0)]
    js = float(jensen_shannon(*shares(occupied)))
    scale = (1 / rows[0] + 1 / rows[1]) / (8 * math.log(2))
    return Distance(js, chi_squared_quantile(occupied.shape[1] - 1) * scale)


def chi_squared_quantile(degrees: int) -> float:
    """The 99.9 % quantile of chi-squared (Wilson and Hilferty 1931: up to 4 % too large); 0 for 0 degrees."""
    if degrees < 1:
        return 0.0
    width = 2 / (9 * degrees)
    return degrees * float(1 - width + QUANTILE * math.sqrt(width)) ** 3
