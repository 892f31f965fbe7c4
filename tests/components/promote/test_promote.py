"""promote: a verified candidate that may replace the champion is published; every other one is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from components.artifacts.bundle import Bundle
from components.artifacts.promotion import Promotion
from components.promote import promote
from components.run_context import RunContext
from serving.errors import BundleError, InputError
from serving.registry.pointer import lock_pointer
from serving.registry.promotion_events import Difference, read_promotion_events
from serving.registry.registry import Registry


def serving(models, model="chosen"):
    return Registry(models).promoted(model)


def test_verified_bundle_serves_as_the_first_version(made, tiny, offer, models, contents):
    promotion = offer(tiny, model="tiny", run="run-1")
    assert promotion.passed
    assert (promotion.model, promotion.version, promotion.champion) == ("tiny", 1, None)
    assert promotion.bundle_sha256 == made.bundle.sha256
    assert Promotion.load(promotion.path) == promotion
    now = serving(models, "tiny")
    assert (now.version, now.sha256, now.run) == (1, made.bundle.sha256, "run-1")
    assert contents(now.path) == contents(made.bundle.path)
    assert promotion.summary().startswith("tiny version 1 serves now")
    assert "no champion: nothing serves yet" in promotion.summary()


def test_evidence_is_recorded(made, verification, tiny, offer, models):
    offer(tiny, model="tiny", run="0007")
    (event,) = read_promotion_events(models / "tiny/history.jsonl").events
    assert event.evidence.run == "0007"
    assert event.bundle_sha256 == made.bundle.sha256
    assert event.evidence.evaluation_sha256 == made.evaluation.digest()
    assert event.evidence.verification_sha256 == verification.digest()
    assert event.evidence.accuracy == made.evaluation.accuracy
    assert event.evidence.test_sha256 == made.examples.sha256("test")
    assert event.evidence.difference is None
    assert event.reason == "no champion: nothing serves yet"


def test_difference_to_the_champion_is_recorded_and_a_rollback_has_none(candidates, offer, models):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, [0]))
    second = offer(candidates.candidate(rows, [1, 2]))
    offer(candidates.candidate(rows, [1, 3]))
    with lock_pointer(Registry(models), "chosen") as pointer:
        pointer.roll_back(2, "no better")
    first, promoted, _, back = read_promotion_events(models / "chosen/history.jsonl").events
    assert (first.evidence.difference, back.evidence.difference) == (None, None)
    assert promoted.evidence.difference == Difference(1, 2, -1 / 200, *second.interval)


def test_same_bundle_keeps_its_version(tiny, offer, models, contents):
    offer(tiny, model="tiny")
    before = contents(models)
    again = offer(tiny, model="tiny")
    assert (again.version, again.champion) == (1, 1)
    assert contents(models) == before


def test_changed_bundle_is_not_published(made, tiny, offer, models, tmp_path):
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    changed = replace(made.bundle, path=tmp_path / "bundle")
    (changed.path / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        offer(replace(tiny, bundle=changed), model="tiny")
    assert not models.exists()


def test_bundle_is_up_to_date_only_while_it_serves_undamaged(made, tiny, offer, models):
    context = RunContext(model="tiny", models=models, run="2")
    assert promote.up_to_date(made.bundle, context) is None
    offer(tiny, model="tiny")
    assert "tiny version 1 already serves" in promote.up_to_date(made.bundle, context)
    assert promote.up_to_date(replace(made.bundle, sha256="f" * 64), context) is None
    assert promote.up_to_date(made.bundle, replace(context, model="other")) is None
    (models / "tiny/1/model.onnx").write_bytes(b"damaged")
    assert promote.up_to_date(made.bundle, context) is None


def test_every_rule_is_reported_even_if_another_refuses(candidates, offer):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, []))
    refused = offer(candidates.candidate(rows, range(40)))
    assert [(rule.name, rule.passed) for rule in refused.rules] == [("champion", False), ("drop", False)]
    assert len(refused.reasons) == 2
    only_one = offer(candidates.candidate(rows, range(40)), max_drop_fraction=0.5)
    assert [(rule.name, rule.passed) for rule in only_one.rules] == [("champion", False), ("drop", True)]
    assert "accuracy 0.8000 ≥ 0.5000" in only_one.summary()


def test_bundle_of_another_data_set_is_refused(candidates, offer, tiny):
    offer(candidates.candidate(candidates.examples(50), []))
    with pytest.raises(InputError, match=r"holds a model of by-hand \(version 1\), but this model was trained on tiny"):
        offer(tiny, model="chosen")


@pytest.mark.parametrize("name", ["margin", "max_drop_fraction"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_limit_outside_0_to_1_is_refused(name, value):
    with pytest.raises(InputError, match=rf"--promote\.{name.replace('_', '-')} {value}: give 0 to 1"):
        promote.Params(**{name: value})


def test_margin_larger_than_the_drop_is_refused():
    with pytest.raises(InputError, match=r"0\.01 is smaller than --promote\.margin 0\.02: give a margin"):
        promote.Params(margin=0.02, max_drop_fraction=0.01)
    assert promote.Params(margin=0.01, max_drop_fraction=0.01).margin == 0.01
    assert promote.Params(margin=0.02, max_drop_fraction=None).margin == 0.02


@pytest.mark.parametrize("value", [0, 1, None, "auto"])
def test_every_fraction_is_a_valid_drop_limit(value):
    assert promote.Params(max_drop_fraction=value).max_drop_fraction == value


def promote_together(barrier, answers, candidate, out, models, run):
    barrier.wait()
    promotion = candidate.promoted(out, models, run=run)
    answers.put((run, promotion.champion, promotion.version, promotion.gained, promotion.lost))


def test_second_of_two_simultaneous_promotions_is_compared_with_the_first(candidates, offer, models, tmp_path):
    rows = candidates.examples(200)
    offer(candidates.candidate(rows, [0]))
    both = [candidates.candidate(rows, [1]), candidates.candidate(rows, [1, 2])]
    context = get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(
            target=promote_together, args=(barrier, answers, candidate, tmp_path / f"at-once-{n}", models, f"000{n}")
        )
        for n, candidate in enumerate(both, start=2)
    ]
    for process in processes:
        process.start()
    (run_a, *first), (run_b, *second) = sorted((answers.get(timeout=600) for _ in both), key=lambda a: a[2])
    for process in processes:
        process.join()
    assert first[:2] == [1, 2]
    assert second[:2] == [2, 3]
    # Compared with the first of the two, and not with version 1, which gets another row wrong.
    assert sorted(second[2:]) == [0, 1]
    assert [event.evidence.run for event in read_promotion_events(models / "chosen/history.jsonl").events[1:]] == [
        run_a,
        run_b,
    ]


def test_candidate_predicts_the_chosen_outcomes(candidates):
    one = candidates.candidate(candidates.examples(20), [0])
    assert Bundle.load(one.bundle.path) == one.bundle
    assert np.array_equal(one.evaluation.predictions() == one.examples.all_labels("test"), np.arange(20) > 0)
