"""champion: candidate and champion are compared on the same test images, by an interval and McNemar's test."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from components.promote.champion import NAMED_IMAGES, discordant_images
from components.significance import Discordance, Margin, difference_interval
from serving.bundle.bundle import load_bundle
from serving.registry.registry import Registry
from tests.failing_files import fail_to_open


def serving(models, model="chosen"):
    return Registry(models).promoted(model)


def test_candidate_that_is_worse_by_more_than_the_margin_is_refused_with_interval_and_p(
    candidates, offer, models, contents
):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, [0, 1]))
    before = contents(models)
    refused = offer(candidates.candidate(rows, [1, *range(10, 20)]), margin=0.01, max_drop_fraction=None)
    assert not refused.passed
    assert (refused.champion, refused.gained, refused.lost, refused.version) == (1, 1, 10, None)
    # The mid-p counts half of the probability of the counts themselves.
    p = binomtest(10, 11, 0.5, alternative="greater").pvalue - binom.pmf(10, 11, 0.5) / 2
    low, high = difference_interval(Discordance(lost=10, gained=1), 200)
    assert (refused.p, refused.interval) == (pytest.approx(p), (low, high))
    assert (
        f"compared with champion version 1 on the same 200 test images: 1 gained, 10 lost; these two models differ by "
        f"-0.0450 (90 % interval {low:+.4f} to {high:+.4f}, McNemar's p {p:.3g}): the candidate is significantly worse "
        "by more than the margin 0.0100 (--promote.margin)"
    ) in refused.summary()
    assert contents(models) == before


@pytest.mark.parametrize(
    ("lost", "margin", "passes", "judgement"),
    [
        (10, 0.0, False, "is significantly worse by more than the margin 0.0000 (--promote.margin)"),
        # The upper end of the interval is -0.030, between the two margins.
        (10, 0.02, False, "is significantly worse by more than"),
        (10, 0.04, True, "do not show that the candidate is worse by more than the margin 0.0400"),
        (10, 0.2, True, "the candidate is not worse by more than the margin 0.2000"),
        # With 3 lost images the asymptotic interval is below 0, and the exact test does not reject: p 0.0625.
        (3, 0.0, True, "do not show that the candidate is worse by more than the margin 0.0000"),
        (4, 0.0, False, "is significantly worse by more than the margin 0.0000"),
    ],
)
def test_margin_decides_which_loss_matters(candidates, offer, lost, margin, passes, judgement):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, []))
    second = offer(candidates.candidate(rows, range(lost)), margin=margin, max_drop_fraction=None)
    assert (second.passed, second.lost) == (passes, lost)
    assert judgement in second.summary()


def test_default_margin_is_what_the_seed_moves_and_says_so(candidates, offer):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, range(5)))
    assumed = offer(candidates.candidate(rows, range(1, 7)))
    assert "margin 0.0040 (assumed: `compare --seeds 5` measures what the seed alone moves" in assumed.summary()
    known = Margin(0.07, "measured before")
    # Ten losses more, of 200: far more than the assumed margin lets pass.
    second = offer(candidates.candidate(rows, range(1, 17)), known=known)
    assert second.passed
    assert "margin 0.0700 (measured before)" in second.summary()
    refused = offer(candidates.candidate(rows, range(1, 40)))
    assert "significantly worse by more than the margin 0.0040 (assumed" in refused.summary()


@pytest.mark.parametrize(("one", "other"), [([0, 1], [1, 2]), ([0, 1], [0, 1])])
def test_tie_is_named(candidates, offer, one, other):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, one))
    second = offer(candidates.candidate(rows, other, seed=3))
    gained = len({*one} - {*other})
    assert f"{gained} gained, {gained} lost, a tie to the last image; these two models differ by +0.0000" in (
        second.summary()
    )
    refused = offer(candidates.candidate(rows, one, seed=4), compare="better")
    assert not refused.passed
    assert "a tie to the last image" in refused.summary()


def test_better_requires_a_lower_end_above_0_and_more_than_a_few_images(candidates, offer):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, range(20)))
    few, many = candidates.candidate(rows, range(3, 20)), candidates.candidate(rows, range(12, 20))
    refused = offer(few, compare="better")
    assert "McNemar's p 0.0625): these images do not show that the candidate is better, which" in refused.summary()
    assert not refused.passed
    promoted = offer(many, compare="better")
    assert promoted.version == 2
    assert promoted.interval[0] > 0
    assert "the candidate is significantly better" in promoted.summary()


def test_off_skips_the_comparison(candidates, offer):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, []))
    promoted = offer(candidates.candidate(rows, range(50)), compare="off", max_drop_fraction=None)
    assert promoted.version == 2
    assert (promoted.gained, promoted.lost) == (None, None)
    assert "not compared with champion version 1" in promoted.summary()


def test_champion_is_scored_on_the_candidates_test_set(candidates, offer):
    old, new = candidates.examples(200), candidates.examples(200, first=100)
    offer(candidates.candidate(old, []))
    # The champion knows the first 100 of the new rows, and predicts class 0 for the others: 25 of them are right.
    second = offer(candidates.candidate(new, range(5)))
    assert (second.gained, second.lost) == (75, 5)
    assert second.version == 2
    # The first version gets 125 of the 200 new rows right: the second is the best ever promoted.
    assert (
        "(best promoted accuracy 0.9750, version 2, minus 0.0120, which is 3 margins"
        in offer(candidates.candidate(new, [0])).summary()
    )


def test_champion_with_another_image_shape_refuses(candidates, offer):
    offer(candidates.candidate(candidates.examples(50), []))
    refused = offer(candidates.candidate(candidates.examples(50, shape=(10, 25, 2)), []))
    assert "champion version 1 cannot score this data: it takes images 1×500×1, these are 10×25×2" in refused.reasons[0]


def test_champion_with_other_classes_refuses_and_the_message_has_the_remedy(candidates, offer, models):
    rows = candidates.examples(50)
    offer(candidates.candidate(rows, []))
    renamed = candidates.examples(50, class_names=("a", "b", "c", "d"))
    refused = offer(candidates.candidate(renamed, []))
    assert not refused.passed
    assert "it has the classes plain, comma, inside, quote" in refused.reasons[0]
    assert "--model NAME" in refused.reasons[0]
    assert "--promote.compare off" in refused.reasons[0]
    assert serving(models).version == 1
    passed = offer(candidates.candidate(renamed, [1]), compare="off", max_drop_fraction=0.1)
    assert passed.version == 2


def test_damaged_champion_refuses_another_candidate_and_the_same_bundle_repairs_it(candidates, offer, models):
    rows = candidates.examples(50)
    first = candidates.candidate(rows, [])
    offer(first)
    (models / "chosen/1/model.onnx").write_bytes(b"damaged")
    refused = offer(candidates.candidate(rows, [1]))
    assert "champion version 1 is damaged" in refused.reasons[0]
    assert "model.onnx" in refused.reasons[0]
    assert "`python -m pipeline promote 0001 --reason TEXT` promotes it again" in refused.reasons[0]
    assert offer(first).version == 2
    assert load_bundle(serving(models).path, serving(models).sha256)


def test_discordant_images_are_the_first_of_both_kinds_with_both_predictions():
    """Of every 4 rows, one is gained, one is lost, both models get one right, and neither gets the last one."""
    rows = np.arange(4 * (NAMED_IMAGES + 1))
    labels = rows % 3
    wrong = (labels + 1) % 3
    candidate = np.where(rows % 4 <= 1, labels, wrong)
    champion = np.where(rows % 2 == 0, labels, wrong)
    found = discordant_images(candidate, champion, labels)
    gained, lost = found[:NAMED_IMAGES], found[NAMED_IMAGES:]
    assert [pair.row for pair in gained] == [4 * n + 1 for n in range(NAMED_IMAGES)]
    assert [pair.row for pair in lost] == [4 * n + 2 for n in range(NAMED_IMAGES)]
    assert all(pair.gained and pair.candidate == pair.label == labels[pair.row] for pair in gained)
    assert all(pair.champion == wrong[pair.row] for pair in gained)
    assert all(not pair.gained and pair.champion == pair.label == labels[pair.row] for pair in lost)
    assert all(pair.candidate == wrong[pair.row] for pair in lost)


def test_champion_that_cannot_be_read_is_not_damaged_and_refuses_nothing(candidates, offer, models, monkeypatch):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, [0]))
    second = candidates.candidate(rows, [1])
    with monkeypatch.context() as failing:
        fail_to_open(failing, str(serving(models).version), errno.EIO)
        with pytest.raises(OSError, match="Input/output error"):
            offer(second)
    assert serving(models).version == 1
    assert offer(second).passed
