"""Candidate's predictions + champion + test set -> RuleResult: is the candidate good enough to replace the champion?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.artifacts.examples import Examples
from components.artifacts.promotion import DiscordantImage
from components.promote.margin import Compare, Limits
from components.significance import SIGNIFICANCE, Discordance, difference_interval, discordance
from serving.bundle.bundle import Bundle, load_bundle
from serving.errors import BeamlineError, BundleError
from serving.process.program import PIPELINE
from serving.registry.promotion_events import Difference
from serving.registry.registry import Promoted
from serving.scoring.scorer import Scorer

# The name of the interval whose ends are one-sided at the level SIGNIFICANCE.
INTERVAL = f"{1 - 2 * SIGNIFICANCE:.0%}".replace("%", " %")
# Largest number of images of each kind, gained and lost, that a promotion names.
NAMED_IMAGES = 12
# Largest number of classes, or of other names, that a message lists.
MAX_LISTED_CLASSES = 10


@dataclass(frozen=True)
class LoadedTestSet:
    """The test set in memory: every version is compared on these images.

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
    def of(cls, examples: Examples) -> LoadedTestSet:
        """Loads the whole test split."""
        images, labels = examples.all_images("test"), examples.all_labels("test")
        return cls(images, labels, examples.class_names, examples.sha256("test"))

    def predictions(self, opened: Bundle) -> npt.NDArray[np.int64]:
        """Scores the images with a bundle's ONNX model: the predicted labels, int64 (n,).

        Raises: BeamlineError: it has another image shape or other classes, or onnxruntime cannot run it.
        """
        manifest = opened.manifest
        if manifest.image_shape != self.images.shape[1:]:
            taken, here = ("×".join(map(str, shape)) for shape in (manifest.image_shape, self.images.shape[1:]))
            raise BeamlineError(f"it takes images {taken}, these are {here}")
        if manifest.labels != self.class_names:
            names, here = (list_names(labels) for labels in (manifest.labels, self.class_names))
            raise BeamlineError(f"it has the classes {names}, the data have {here}")
        return Scorer(opened).score(self.images).labels


@dataclass(frozen=True)
class ChampionComparison:
    """How candidate and champion differ on the test set.

    Attributes:
        difference: the counts, and the interval of the difference.
        p: the p-value of McNemar's test, 0 to 1, one-sided: of a worse candidate, or with `better` of a better one.
        images: the first of the discordant images, gained ones before lost ones.
    """

    difference: Difference
    p: float
    images: tuple[DiscordantImage, ...]


def compare_with_champion(
    predicted: npt.NDArray[np.int64], champion: Promoted | None, test_set: LoadedTestSet, how: Compare, limits: Limits
) -> tuple[RuleResult, ChampionComparison | None]:
    """Compares the candidate with the version that serves, if there is one, which scores the same test set now.

    Args:
        predicted: int64 (n,), the candidate's labels.
        champion: the version that serves.
        test_set: the candidate's test split.
        how: `not-worse` refuses a candidate that is significantly worse by more than the margin; `better` refuses one
            that is not significantly better; `off` compares nothing.
        limits: the margin.

    Returns:
        The rule, and the comparison behind it if there was one.
    """
    if champion is None:
        return RuleResult("champion", True, "no champion: nothing serves yet"), None
    champion_name = f"champion version {champion.version}"
    if how == "off":
        return RuleResult("champion", True, f"not compared with {champion_name}: --promote.compare off"), None
    try:
        champion_labels = test_set.predictions(load_bundle(champion.path, champion.sha256))
    except BundleError as error:
        remedy = f"`{PIPELINE} promote {champion.run} --reason TEXT` promotes it again"
        return RuleResult("champion", False, f"{champion_name} is damaged ({error}): {remedy}"), None
    except BeamlineError as error:
        remedy = (
            "run the pipeline again with --model NAME, which promotes under another name, or omit the comparison with "
            "--promote.compare off"
        )
        return RuleResult("champion", False, f"{champion_name} cannot score this data: {error}; {remedy}"), None
    counts = discordance(predicted == test_set.labels, champion_labels == test_set.labels)
    comparison = ChampionComparison(
        difference_of(counts, len(predicted)),
        counts.p_worse if how == "not-worse" else counts.p_better,
        discordant_images(predicted, champion_labels, test_set.labels),
    )
    judge = not_worse if how == "not-worse" else better
    passed, judgement = judge(comparison, limits)
    text = (
        f"compared with {champion_name} on the same {len(predicted):,} test images: "
        f"{describe_difference(comparison)}: {judgement}"
    )
    return RuleResult("champion", passed, text), comparison


def difference_of(counts: Discordance, rows: int) -> Difference:
    """The difference with its interval, of counts on this number of rows."""
    low, high = difference_interval(counts, rows)
    return Difference(counts.gained, counts.lost, (counts.gained - counts.lost) / rows, low, high)


def discordant_images(
    candidate_labels: npt.NDArray[np.int64], champion_labels: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]
) -> tuple[DiscordantImage, ...]:
    """The first images that the candidate gained, then the first that it lost; all arguments are int64 (n,)."""
    right, was_right = candidate_labels == labels, champion_labels == labels
    chosen = [np.flatnonzero(kind)[:NAMED_IMAGES] for kind in (right & ~was_right, was_right & ~right)]
    return tuple(
        DiscordantImage(int(row), int(labels[row]), int(champion_labels[row]), int(candidate_labels[row]))
        for row in np.concatenate(chosen)
    )


def not_worse(comparison: ChampionComparison, limits: Limits) -> tuple[bool, str]:
    """Whether the candidate is not significantly worse by more than the margin, and the judgement in words.

    The burden of proof is on the refusal: with few test images, a candidate that is worse can pass.
    """
    found, margin = comparison.difference, f"by more than the margin {limits.margin.value:.4f} ({limits.margin.origin})"
    # The interval is asymptotic; for a few discordant images the exact test decides.
    if found.high < -limits.margin.value and comparison.p < SIGNIFICANCE:
        return False, f"the candidate is significantly worse {margin}"
    if found.low > -limits.margin.value:
        return True, f"the candidate is not worse {margin}"
    return True, f"these images do not show that the candidate is worse {margin}"


def better(comparison: ChampionComparison, limits: Limits) -> tuple[bool, str]:
    """Whether the candidate is significantly better, and the judgement in words; there is no margin."""
    if comparison.difference.low > 0 and comparison.p < SIGNIFICANCE:
        return True, "the candidate is significantly better"
    return False, "these images do not show that the candidate is better, which --promote.compare better requires"


def describe_difference(comparison: ChampionComparison) -> str:
    """The counts, the difference with its interval, and the p-value; a tie is named."""
    found = comparison.difference
    counts = f"{found.gained:,} gained, {found.lost:,} lost"
    if found.gained == found.lost:
        counts += ", a tie to the last image"
    return (
        f"{counts}; these two models differ by {found.value:+.4f} ({INTERVAL} interval {found.low:+.4f} to "
        f"{found.high:+.4f}, McNemar's p {comparison.p:.3g})"
    )


def list_names(names: tuple[object, ...] | list[int]) -> str:
    """The first names, separated by commas."""
    shown = ", ".join(map(str, names[:MAX_LISTED_CLASSES]))
    return shown if len(names) <= MAX_LISTED_CLASSES else f"{shown}, …"
