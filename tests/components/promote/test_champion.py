"""champion: candidate and champion are compared on the same test images, by McNemar's test."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom, binomtest

from components.promote.champion import NAMED_IMAGES, discordant_images
from serving.bundle.bundle import load_bundle
from serving.registry.registry import Registry


def serving(models, model="chosen"):
    return Registry(models).promoted(model)


def test_significantly_worse_candidate_is_refused_with_counts_and_p(candidates, offer, models, contents):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, [0, 1]))
    before = contents(models)
    refused = offer(candidates.candidate(rows, [1, *range(10, 20)]), max_drop_fraction=None)
    assert not refused.passed
    assert (refused.champion, refused.gained, refused.lost, refused.version) == (1, 1, 10, None)
    # The mid-p counts half of the probability of the counts themselves.
    p = binomtest(10, 11, 0.5, alternative="greater").pvalue - binom.pmf(10, 11, 0.5) / 2
    assert f"1 gained, 10 lost; significantly worse (p {p:.3g} < 0.05)" in refused.summary()
    assert contents(models) == before


def test_insignificantly_worse_candidate_serves(candidates, offer):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, [0]))
    second = offer(candidates.candidate(rows, [1, 2]))
    assert (second.version, second.champion, second.gained, second.lost) == (2, 1, 1, 2)
    assert "not significantly worse" in second.summary()


def test_better_requires_more_than_not_worse(candidates, offer):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, range(20)))
    few, many = candidates.candidate(rows, range(3, 20)), candidates.candidate(rows, range(12, 20))
    assert "not significantly better (p 0.0625 ≥ 0.05)" in offer(few, compare="better").summary()
    assert offer(many, compare="better").version == 2


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
    assert "(best promoted accuracy 0.9750, version 2, minus " in offer(candidates.candidate(new, [0])).summary()


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
