"""history_rules: small losses must not add up, and a rolled back model needs a person to be promoted again."""

from __future__ import annotations

import shutil

import pytest

from components.significance import Margin
from serving.errors import BundleError
from serving.registry.pointer import lock_pointer
from serving.registry.promotion_events import read_promotion_events
from serving.registry.registry import Registry


def serving(models, model="chosen"):
    return Registry(models).promoted(model)


def test_insignificant_losses_are_stopped_by_the_drop_rule(candidates, offer, models):
    rows = candidates.examples(400)
    wrong = []
    offer(candidates.candidate(rows, wrong))
    outcomes = []
    for step in range(10):
        wrong = [*wrong, 2 * step, 2 * step + 1]
        outcomes.append(offer(candidates.candidate(rows, wrong)))
    # Each loses 2 of 400 rows to the one before, p 0.25. The third has lost 6 in all, and the limit is 4.8.
    assert [outcome.passed for outcome in outcomes] == [True, True] + [False] * 8
    assert all("champion" not in {r.name for r in o.rules if not r.passed} for o in outcomes[:3])
    assert (
        "accuracy 0.9850 < 0.9880 (best promoted accuracy 1.0000, version 1, minus 0.0120, which is 3 margins and at "
        "least 0.01)"
    ) in outcomes[2].summary()
    assert serving(models).version == 3


def test_drop_limit_is_exact_to_the_row(candidates, offer):
    rows = candidates.examples(300)
    offer(candidates.candidate(rows, []))
    assert not offer(candidates.candidate(rows, [0, 1, 2, 3]), max_drop_fraction=0.01).passed
    assert offer(candidates.candidate(rows, [0, 1, 2]), max_drop_fraction=0.01).passed


def test_default_margin_is_never_larger_than_the_drop(candidates, offer):
    rows = candidates.examples(300)
    offer(candidates.candidate(rows, []))
    second = offer(candidates.candidate(rows, []), max_drop_fraction=0.001, manual=True)
    assert second.passed
    third = offer(candidates.candidate(rows, [], seed=3), max_drop_fraction=0.001)
    assert "margin 0.0010 (--promote.max-drop-fraction, which is smaller than the default margin)" in third.summary()


def test_default_drop_follows_from_the_margin(candidates, offer):
    rows = candidates.examples(300)
    offer(candidates.candidate(rows, []))
    given = {"known": Margin(0.02, "measured before")}
    # 3 margins are 18 of 300 rows; p is not asked, because `compare` is off.
    assert not offer(candidates.candidate(rows, range(19)), compare="off", **given).passed
    assert offer(candidates.candidate(rows, range(18)), compare="off", **given).passed
    # A margin of 0 leaves one point, 3 rows.
    assert not offer(candidates.candidate(rows, range(4)), compare="off", margin=0.0).passed
    assert offer(candidates.candidate(rows, range(3)), compare="off", margin=0.0).passed


def test_version_that_cannot_be_scored_is_reported(candidates, offer, models):
    old, new = candidates.examples(50), candidates.examples(60)
    offer(candidates.candidate(old, []))
    offer(candidates.candidate(new, [0]))
    shutil.rmtree(models / "chosen/1")
    third = offer(candidates.candidate(new, [1]))
    assert third.passed
    assert "versions that cannot be scored on this data are not counted: 1" in third.summary()


def test_rolled_back_version_does_not_count_as_the_best(candidates, offer, models):
    rows = candidates.examples(400)
    offer(candidates.candidate(rows, range(6)))
    offer(candidates.candidate(rows, []))
    with lock_pointer(Registry(models), "chosen") as pointer:
        pointer.roll_back(None, "it had seen the test images")
    assert offer(candidates.candidate(rows, range(1, 8))).passed


def test_rolled_back_model_is_promoted_again_only_if_a_person_asks(candidates, offer, models):
    rows = candidates.examples(50)
    first, second = candidates.candidate(rows, [0]), candidates.candidate(rows, [1])
    offer(first)
    offer(second)
    with lock_pointer(Registry(models), "chosen") as pointer:
        pointer.roll_back(None, "wrong at night")
    refused = offer(second, run="0002")
    assert not refused.passed
    assert "wrong at night" in refused.reasons[0]
    assert "to promote it anyway, use `python -m pipeline promote 0002 --reason TEXT`" in refused.reasons[0]
    assert serving(models).version == 1
    assert offer(second, run="0002", manual=True, reason="it was the lamp").version == 2
    assert read_promotion_events(models / "chosen/history.jsonl").last.reason == "it was the lamp"


def test_rolled_back_weights_in_another_bundle_are_refused(candidates, offer, models):
    rows = candidates.examples(50)
    offer(candidates.candidate(rows, [0]))
    offer(candidates.candidate(rows, [1]))
    with lock_pointer(Registry(models), "chosen") as pointer:
        pointer.roll_back(None, "wrong at night")
    same_weights = candidates.candidate(rows, [1], seed=5)
    refused = offer(same_weights)
    assert "rolled back a version with these weights at " in refused.reasons[0]
    assert offer(same_weights, manual=True).version == 3


def test_gap_in_the_history_refuses_a_run_and_not_a_person(candidates, offer, models):
    rows = candidates.examples(50)
    offer(candidates.candidate(rows, [0]))
    offer(candidates.candidate(rows, [1]))
    lines = models / "chosen/history.jsonl"
    lines.write_bytes(lines.read_bytes().splitlines(keepends=True)[1])
    third = candidates.candidate(rows, [2])
    assert (
        "has 1 promotion event missing (first: number 1): restore it, or continue without it with"
        in offer(third).reasons[0]
    )
    assert offer(third, manual=True).version == 3
    assert offer(candidates.candidate(rows, [3])).version == 4


@pytest.mark.parametrize("left", ["", "{"])
def test_person_can_promote_if_pointer_and_history_are_lost(candidates, offer, models, left):
    rows = candidates.examples(50)
    for wrong in ([0], [1]):
        offer(candidates.candidate(rows, wrong))
    (models / "chosen/promoted.json").write_text(left)
    (models / "chosen/history.jsonl").write_text("")
    shutil.rmtree(models / "chosen/1")
    third = candidates.candidate(rows, [2])
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        offer(third)
    assert offer(third, manual=True).version == 3
    assert serving(models).version == 3
