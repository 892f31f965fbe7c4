"""Candidate's outcomes + the registry's versions + test rows -> rules: may it take the champion's place?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from components.artifacts.promotion import Pair
from components.artifacts.rule import Rule
from components.mcnemar import SIGNIFICANCE, Discordance, discordance
from serving import bundle
from serving.bundle import Bundle
from serving.errors import BeamlineError, BundleError
from serving.history import Event, History
from serving.registry import Promoted
from serving.scorer import Scorer

Compare = Literal["not-worse", "better", "off"]
# Of each kind; for people to look at.
NAMED_PAIRS = 12
OFF = "promote it without the comparison: --promote.compare off"


@dataclass(frozen=True)
class HeldOut:
    """The rows on which every version is held against the candidate.

    Attributes:
        images: uint8 (n, h, w, c), 0 to 255.
        labels: int64 (n,).
        class_names: by integer label.
        sha256: the digest of images and labels.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    class_names: tuple[str, ...]
    sha256: str

    @classmethod
    def of(cls, examples: Examples) -> HeldOut:
        """The whole test split."""
        return cls(
            examples.all_images("test"), examples.all_labels("test"), examples.class_names, examples.sha256("test")
        )

    def predictions(self, opened: Bundle) -> npt.NDArray[np.int64]:
        """The label, as int64 (n,), that a bundle gives each row, scored with onnxruntime.

        Raises:
            BeamlineError: it takes images of another shape, knows other classes, or onnxruntime cannot run it.
        """
        manifest = opened.manifest
        if manifest.image_shape != self.images.shape[1:]:
            taken, here = ("×".join(map(str, shape)) for shape in (manifest.image_shape, self.images.shape[1:]))
            raise BeamlineError(f"it takes images {taken}, these are {here}")
        if manifest.labels != self.class_names:
            raise BeamlineError(
                f"it knows the classes {_listed(manifest.labels)}, these are {_listed(self.class_names)}"
            )
        return Scorer(opened).score(self.images).labels


@dataclass(frozen=True)
class Compared:
    """How candidate and champion differ on the same rows.

    Attributes:
        found: the counts of the rows that only one of them gets right.
        p: of the test that decided.
        pairs: the first of these rows, of both kinds.
    """

    found: Discordance
    p: float
    pairs: tuple[Pair, ...]


def compare(
    predicted: npt.NDArray[np.int64], champion: Promoted | None, rows: HeldOut, how: Compare
) -> tuple[Rule, Compared | None]:
    """Holds the candidate's evaluation against the version that serves, which scores the same rows now.

    Args:
        predicted: int64 (n,), the candidate's labels.
        champion: the version that serves; None where none does.
        rows: the test split.
        how: `not-worse` refuses where the champion is significantly better, `better` unless the candidate is.

    Returns:
        The rule, and what it rests on where the two were compared.
    """
    if champion is None:
        return Rule("champion", True, "no champion: nothing serves yet"), None
    against = f"champion version {champion.version}"
    if how == "off":
        return Rule("champion", True, f"not compared with {against}: --promote.compare off"), None
    try:
        served = rows.predictions(champion.load())
    except BundleError as error:
        again = f"`python -m pipeline promote {champion.run} --reason TEXT` publishes it anew"
        return Rule("champion", False, f"{against} is damaged ({error}): {again}"), None
    except BeamlineError as error:
        words = f"{against} cannot score this data: {error}"
        return Rule("champion", False, f"{words}; promote under another name with --model NAME, or {OFF}"), None
    found = discordance(predicted == rows.labels, served == rows.labels)
    p = found.p_worse if how == "not-worse" else found.p_better
    return judge(found, against, len(predicted), how), Compared(found, p, pairs(predicted, served, rows.labels))


def pairs(
    candidate: npt.NDArray[np.int64], champion: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]
) -> tuple[Pair, ...]:
    """The first rows that the candidate gained, then the first that it lost; all three are int64 (n,)."""
    right, was_right = candidate == labels, champion == labels
    chosen = [np.flatnonzero(kind)[:NAMED_PAIRS] for kind in (right & ~was_right, was_right & ~right)]
    return tuple(
        Pair(int(row), int(labels[row]), int(champion[row]), int(candidate[row])) for row in np.concatenate(chosen)
    )


def judge(found: Discordance, against: str, rows: int, how: Literal["not-worse", "better"]) -> Rule:
    """The verdict on discordant counts, with its arithmetic (McNemar's test, one-sided, mid-p)."""
    what, p = ("worse", found.p_worse) if how == "not-worse" else ("better", found.p_better)
    significant = p < SIGNIFICANCE
    words = (
        f"against {against} on the same {rows:,} test images {found.gained:,} gained, {found.lost:,} lost: "
        f"{'' if significant else 'not '}significantly {what}, p {p:.3g} {'<' if significant else '≥'} {SIGNIFICANCE}"
    )
    return Rule("champion", significant == (how == "better"), words)


def drop(
    accuracy: float, history: History, folder: Path, rows: HeldOut, max_drop_fraction: float | None
) -> tuple[Rule, ...]:
    """Holds the candidate against the best that ever served, so that insignificant losses cannot add up.

    What was rolled back from counts no more. A version that was judged on other test images is scored on these.

    Args:
        accuracy: the candidate's, fraction.
        history: all moves of the pointer.
        folder: the model's, where the versions are.
        rows: the test split.
        max_drop_fraction: the largest difference of accuracy, a fraction; None sets no limit.

    Returns:
        The rule; none where there is no limit, or nothing that it could be held against.
    """
    if max_drop_fraction is None:
        return ()
    best, version, unknown = _best(history, folder, rows)
    left_out = f"; not counted, because it cannot score this data: version {_listed(unknown)}" if unknown else ""
    if not version:
        return ()
    # In whole rows: a difference of fractions would refuse the limit itself by a rounding error.
    passed = round((best - accuracy) * len(rows.labels), 6) <= max_drop_fraction * len(rows.labels)
    words = (
        f"accuracy {accuracy:.4f} {'≥' if passed else '<'} {best - max_drop_fraction:.4f}, which is "
        f"{max_drop_fraction:g} under the best ever promoted ({best:.4f}, version {version}){left_out}"
    )
    return (Rule("drop", passed, words),)


def _best(history: History, folder: Path, rows: HeldOut) -> tuple[float, int, list[int]]:
    """Accuracy and version of the best that ever served, 0 where there is none; and the versions that are unknown."""
    best, version, unknown = 0.0, 0, list[int]()
    barred = history.rolled_back()
    for event in {event.bundle_sha256: event for event in history.events}.values():
        if event.bundle_sha256 in barred:
            continue
        reached: float | None = event.evidence.accuracy
        if event.evidence.test_sha256 != rows.sha256:
            reached = _accuracy(folder / str(event.to_version), event.bundle_sha256, rows)
        if reached is None:
            unknown.append(event.to_version)
        elif reached > best:
            best, version = reached, event.to_version
    return best, version, unknown


def remembered(barring: Event | None, run: str, gap: str | None, by_hand: bool) -> tuple[Rule, ...]:
    """What was rolled back from comes back only where a person asks for it.

    Args:
        barring: the rollback from this bundle or from these weights; None where there was none.
        run: the run that made it.
        gap: what is missing on record, so that nobody can say what was rolled back from; None where nothing is.
        by_hand: a person asks for it.

    Returns:
        The rules that matter for this candidate.
    """
    rules = []
    if gap is not None:
        rules.append(Rule("history", by_hand, gap))
    if barring is not None:
        words = f"{barring.user} rolled back from this very model at {barring.time} ({barring.reason})"
        command = f"`python -m pipeline promote {run} --reason TEXT`"
        rules.append(
            Rule("rollback", by_hand, f"{words}: {'asked for again' if by_hand else f'{command} brings it back'}")
        )
    return tuple(rules)


def _accuracy(path: Path, sha256: str, rows: HeldOut) -> float | None:
    """A version's accuracy on these rows; None where it is gone, damaged, or cannot score them."""
    try:
        return float((rows.predictions(bundle.load(path, sha256)) == rows.labels).mean())
    except BeamlineError:
        return None


def _listed(names: tuple[object, ...] | list[int]) -> str:
    shown = ", ".join(map(str, names[:10]))
    return shown if len(names) <= 10 else f"{shown}, …"
