"""promote: what passed may serve, if it may take the champion's place, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from components import promote
from components.artifacts.bundle import Bundle
from components.artifacts.promotion import Promotion
from components.champion import NAMED_PAIRS, pairs
from serving.errors import BundleError, InputError
from serving.history import read_history
from serving.pointer import held
from serving.registry import Registry
from tests.components.candidates import Candidate, Candidates


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def candidates(tmp_path, made, verification):
    return Candidates(tmp_path / "candidates", made.evaluation, verification)


@pytest.fixture
def offered(tmp_path, models):
    """Promotes a candidate, in a folder of its own."""

    def offer(candidate, **params):
        offer.count += 1
        return candidate.promoted(tmp_path / "out" / str(offer.count), models, **params)

    offer.count = 0
    return offer


@pytest.fixture
def tiny(made, verification):
    """What the components made of the small set."""
    return Candidate(made.bundle, made.evaluation, verification, made.examples)


def serves(models, model="chosen"):
    return Registry(models).promoted(model)


def test_verified_bundle_serves_as_the_first_version(made, tiny, offered, models, contents):
    promotion = offered(tiny, model="tiny", run="run-1")
    assert promotion.passed
    assert (promotion.model, promotion.version, promotion.champion) == ("tiny", 1, None)
    assert promotion.bundle_sha256 == made.bundle.sha256
    assert Promotion.load(promotion.path) == promotion
    now = serves(models, "tiny")
    assert (now.version, now.sha256, now.run) == (1, made.bundle.sha256, "run-1")
    assert contents(now.path) == contents(made.bundle.path)
    assert promotion.summary().startswith("tiny version 1 serves now")
    assert "no champion: nothing serves yet" in promotion.summary()


def test_evidence_is_on_record(made, verification, tiny, offered, models):
    offered(tiny, model="tiny", run="0007")
    (event,) = read_history(models / "tiny/history.jsonl").events
    assert event.evidence.run == "0007"
    assert event.bundle_sha256 == made.bundle.sha256
    assert event.evidence.evaluation_sha256 == made.evaluation.digest()
    assert event.evidence.verification_sha256 == verification.digest()
    assert event.evidence.accuracy == made.evaluation.accuracy
    assert event.evidence.test_sha256 == made.examples.sha256("test")
    assert event.reason == "no champion: nothing serves yet"


def test_same_bundle_keeps_its_version(tiny, offered, models, contents):
    offered(tiny, model="tiny")
    before = contents(models)
    again = offered(tiny, model="tiny")
    assert (again.version, again.champion) == (1, 1)
    assert contents(models) == before


def swapped(candidate, other):
    """Every way in which a verdict can be of something else."""
    return {
        "evaluation of another model": replace(candidate, evaluation=other.evaluation),
        "verification of another bundle": replace(candidate, verification=other.verification),
        "bundle of another model": replace(candidate, bundle=other.bundle),
        "other test images": replace(candidate, examples=other.examples),
        "stale evaluation": replace(candidate, evaluation=replace(candidate.evaluation, min_accuracy=0.1)),
        "evaluation that the bundle was exported under, of other weights": replace(
            candidate, bundle=other.bundle, evaluation=other.evaluation
        ),
        "refused evaluation": replace(
            candidate, evaluation=replace(candidate.evaluation, passed=False, reasons=("too low",))
        ),
        "refused verification": replace(
            candidate, verification=replace(candidate.verification, passed=False, reasons=("differs",))
        ),
    }


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("evaluation of another model", "was exported under evaluation"),
        ("verification of another bundle", "the verification is of bundle"),
        ("bundle of another model", "was exported under evaluation"),
        ("other test images", "the evaluation is of test images"),
        ("stale evaluation", "was exported under evaluation"),
        ("evaluation that the bundle was exported under, of other weights", "the evaluation is of weights"),
        ("refused evaluation", "too low"),
        ("refused verification", "differs"),
    ],
)
def test_verdict_that_is_not_of_this_very_bundle_is_refused_and_nothing_published(
    candidates, offered, models, what, words
):
    one = candidates.candidate(candidates.examples(100), [1])
    other = candidates.candidate(candidates.examples(101), [2], weights_sha256="another model's")
    refused = offered(swapped(one, other)[what])
    assert not refused.passed
    assert refused.version is None
    assert words in refused.summary()
    assert not models.exists()
    assert Promotion.load(refused.path) == refused


def test_changed_bundle_is_not_published(made, tiny, offered, models, tmp_path):
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    changed = replace(made.bundle, path=tmp_path / "bundle")
    (changed.path / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        offered(replace(tiny, bundle=changed), model="tiny")
    assert not models.exists()


def test_settled_only_while_this_very_bundle_serves_whole(made, tiny, offered, models):
    params = promote.Params(model="tiny", models=models, run="2")
    assert promote.settled(made.bundle, params) is None
    offered(tiny, model="tiny")
    assert "tiny version 1 already serves" in promote.settled(made.bundle, params)
    assert promote.settled(replace(made.bundle, sha256="f" * 64), params) is None
    assert promote.settled(made.bundle, replace(params, model="other")) is None
    (models / "tiny/1/model.onnx").write_bytes(b"damaged")
    assert promote.settled(made.bundle, params) is None


def test_significantly_worse_candidate_is_refused_with_counts_and_p_and_the_champion_stays(
    candidates, offered, models, contents
):
    rows = candidates.examples(200)
    offered(candidates.candidate(rows, [0, 1]))
    before = contents(models)
    refused = offered(candidates.candidate(rows, [1, *range(10, 20)]), max_drop_fraction=None)
    assert not refused.passed
    assert (refused.champion, refused.gained, refused.lost, refused.version) == (1, 1, 10, None)
    # Of the exact p, mid-p counts the probability of the counts themselves by half.
    p = binomtest(10, 11, 0.5, alternative="greater").pvalue - binom.pmf(10, 11, 0.5) / 2
    assert f"1 gained, 10 lost: significantly worse, p {p:.3g} < 0.05" in refused.summary()
    assert contents(models) == before


def test_insignificantly_worse_candidate_serves(candidates, offered):
    rows = candidates.examples(200)
    offered(candidates.candidate(rows, [0]))
    second = offered(candidates.candidate(rows, [1, 2]))
    assert (second.version, second.champion, second.gained, second.lost) == (2, 1, 1, 2)
    assert "not significantly worse" in second.summary()


def test_better_asks_for_more_than_not_worse(candidates, offered):
    rows = candidates.examples(200)
    offered(candidates.candidate(rows, range(20)))
    few, many = candidates.candidate(rows, range(3, 20)), candidates.candidate(rows, range(12, 20))
    assert "not significantly better, p 0.0625 ≥ 0.05" in offered(few, compare="better").summary()
    assert offered(many, compare="better").version == 2


def test_off_compares_with_no_champion(candidates, offered):
    rows = candidates.examples(200)
    offered(candidates.candidate(rows, []))
    promoted = offered(candidates.candidate(rows, range(50)), compare="off", max_drop_fraction=None)
    assert promoted.version == 2
    assert (promoted.gained, promoted.lost) == (None, None)
    assert "not compared with champion version 1" in promoted.summary()


def test_ten_candidates_each_insignificantly_worse_than_the_last_are_stopped_by_the_drop(candidates, offered, models):
    rows = candidates.examples(400)
    wrong = []
    offered(candidates.candidate(rows, wrong))
    outcomes = []
    for step in range(10):
        wrong = [*wrong, 2 * step, 2 * step + 1]
        outcomes.append(offered(candidates.candidate(rows, wrong)))
    # Each loses 2 of 400 rows to the last, p 0.125; the third has lost 6, and 4 is a hundredth.
    assert [outcome.passed for outcome in outcomes] == [True, True] + [False] * 8
    assert all("champion" not in {r.name for r in o.rules if not r.passed} for o in outcomes[:3])
    assert "accuracy 0.9850 < 0.9900, which is 0.01 under the best ever promoted (1.0000, version 1)" in (
        outcomes[2].summary()
    )
    assert serves(models).version == 3


def test_limit_of_the_drop_is_taken_to_the_row(candidates, offered):
    rows = candidates.examples(300)
    offered(candidates.candidate(rows, []))
    assert not offered(candidates.candidate(rows, [0, 1, 2, 3]), max_drop_fraction=0.01).passed
    assert offered(candidates.candidate(rows, [0, 1, 2]), max_drop_fraction=0.01).passed


def test_every_rule_is_told_also_where_another_refuses(candidates, offered):
    rows = candidates.examples(200)
    offered(candidates.candidate(rows, []))
    refused = offered(candidates.candidate(rows, range(40)))
    assert [(rule.name, rule.passed) for rule in refused.rules] == [("champion", False), ("drop", False)]
    assert len(refused.reasons) == 2
    only_one = offered(candidates.candidate(rows, range(40)), max_drop_fraction=0.5)
    assert [(rule.name, rule.passed) for rule in only_one.rules] == [("champion", False), ("drop", True)]
    assert "accuracy 0.8000 ≥ 0.5000" in only_one.summary()


def test_champion_is_scored_on_the_candidates_rows_where_they_differ_from_its_own(candidates, offered):
    old, new = candidates.examples(200), candidates.examples(200, first=100)
    offered(candidates.candidate(old, []))
    # On the new rows the champion knows the first hundred and guesses class 0 of the others: 25 of them are right.
    second = offered(candidates.candidate(new, range(5)))
    assert (second.gained, second.lost) == (75, 5)
    assert second.version == 2
    # Of the 200 new rows the first version gets 125: the best ever promoted is the second.
    assert "best ever promoted (0.9750, version 2)" in offered(candidates.candidate(new, [0])).summary()


def test_champion_of_other_images_refuses(candidates, offered):
    offered(candidates.candidate(candidates.examples(50), []))
    refused = offered(candidates.candidate(candidates.examples(50, shape=(10, 25, 2)), []))
    assert "champion version 1 cannot score this data: it takes images 1×500×1, these are 10×25×2" in refused.reasons[0]


def test_champion_of_other_classes_refuses_with_the_way_out(candidates, offered, models):
    rows = candidates.examples(50)
    offered(candidates.candidate(rows, []))
    renamed = candidates.examples(50, class_names=("a", "b", "c", "d"))
    refused = offered(candidates.candidate(renamed, []))
    assert not refused.passed
    assert "it knows the classes plain, comma, inside, quote" in refused.reasons[0]
    assert "--model NAME" in refused.reasons[0]
    assert "--promote.compare off" in refused.reasons[0]
    assert serves(models).version == 1
    passed = offered(candidates.candidate(renamed, [1]), compare="off", max_drop_fraction=0.1)
    assert passed.version == 2


def test_champion_that_is_damaged_refuses_another_candidate_and_the_same_bundle_mends_it(candidates, offered, models):
    rows = candidates.examples(50)
    first = candidates.candidate(rows, [])
    offered(first)
    (models / "chosen/1/model.onnx").write_bytes(b"damaged")
    refused = offered(candidates.candidate(rows, [1]))
    assert "champion version 1 is damaged" in refused.reasons[0]
    assert "model.onnx" in refused.reasons[0]
    assert "`python -m pipeline promote 0001 --reason TEXT` publishes it anew" in refused.reasons[0]
    assert offered(first).version == 2
    assert serves(models).load()


def test_what_was_rolled_back_from_comes_back_only_where_a_person_asks(candidates, offered, models):
    rows = candidates.examples(50)
    first, second = candidates.candidate(rows, [0]), candidates.candidate(rows, [1])
    offered(first)
    offered(second)
    with held(Registry(models), "chosen") as pointer:
        pointer.roll_back(None, "wrong at night")
    refused = offered(second, run="0002")
    assert not refused.passed
    assert "wrong at night" in refused.reasons[0]
    assert "`python -m pipeline promote 0002 --reason TEXT` brings it back" in refused.reasons[0]
    assert serves(models).version == 1
    assert offered(second, run="0002", restore=True, reason="it was the lamp").version == 2
    assert read_history(models / "chosen/history.jsonl").last.reason == "it was the lamp"


def test_what_was_rolled_back_from_is_no_longer_the_best(candidates, offered, models):
    rows = candidates.examples(400)
    offered(candidates.candidate(rows, range(6)))
    offered(candidates.candidate(rows, []))
    with held(Registry(models), "chosen") as pointer:
        pointer.roll_back(None, "it had seen the test images")
    assert offered(candidates.candidate(rows, range(1, 8))).passed


def test_weights_that_were_rolled_back_from_do_not_come_back_in_another_bundle(candidates, offered, models):
    rows = candidates.examples(50)
    offered(candidates.candidate(rows, [0]))
    offered(candidates.candidate(rows, [1]))
    with held(Registry(models), "chosen") as pointer:
        pointer.roll_back(None, "wrong at night")
    same_weights = candidates.candidate(rows, [1], seed=5)
    refused = offered(same_weights)
    assert "rolled back from this very model" in refused.reasons[0]
    assert offered(same_weights, restore=True).version == 3


def test_gap_in_the_history_refuses_a_run_and_not_a_person(candidates, offered, models):
    rows = candidates.examples(50)
    offered(candidates.candidate(rows, [0]))
    offered(candidates.candidate(rows, [1]))
    lines = models / "chosen/history.jsonl"
    lines.write_bytes(lines.read_bytes().splitlines(keepends=True)[1])
    third = candidates.candidate(rows, [2])
    assert "lacks 1 moves, the first is number 1" in offered(third).reasons[0]
    assert offered(third, restore=True).version == 3
    assert offered(candidates.candidate(rows, [3])).version == 4


@pytest.mark.parametrize("left", ["", "{"])
def test_where_nobody_can_say_what_serves_a_person_can_promote(candidates, offered, models, left):
    rows = candidates.examples(50)
    for wrong in ([0], [1]):
        offered(candidates.candidate(rows, wrong))
    (models / "chosen/promoted.json").write_text(left)
    (models / "chosen/history.jsonl").write_text("")
    shutil.rmtree(models / "chosen/1")
    third = candidates.candidate(rows, [2])
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        offered(third)
    assert offered(third, restore=True).version == 3
    assert serves(models).version == 3


def test_another_data_set_is_refused_at_once(candidates, offered, tiny):
    offered(candidates.candidate(candidates.examples(50), []))
    with pytest.raises(InputError, match="holds version 1 of by-hand, this one was trained on tiny"):
        offered(tiny, model="chosen")


def test_version_that_cannot_be_held_against_these_rows_is_told(candidates, offered, models):
    old, new = candidates.examples(50), candidates.examples(60)
    offered(candidates.candidate(old, []))
    offered(candidates.candidate(new, [0]))
    shutil.rmtree(models / "chosen/1")
    third = offered(candidates.candidate(new, [1]))
    assert third.passed
    assert "not counted, because it cannot score this data: version 1" in third.summary()


def test_drop_that_is_no_fraction_is_refused(models):
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match=r"--promote\.max-drop-fraction"):
            promote.Params(model="tiny", models=models, run="1", max_drop_fraction=value)


@pytest.mark.parametrize("value", [0, 1, None])
def test_every_fraction_is_a_limit_of_the_drop(models, value):
    assert promote.Params(model="tiny", models=models, run="1", max_drop_fraction=value).max_drop_fraction == value


def promote_together(barrier, answers, candidate, out, models, run):
    barrier.wait()
    promotion = candidate.promoted(out, models, run=run)
    answers.put((run, promotion.champion, promotion.version, promotion.gained, promotion.lost))


def test_of_two_promotions_at_once_the_second_is_compared_with_the_first(candidates, offered, models, tmp_path):
    rows = candidates.examples(200)
    offered(candidates.candidate(rows, [0]))
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
    # Against the first of the two, and not against version 1, which gets another row wrong.
    assert sorted(second[2:]) == [0, 1]
    assert [event.evidence.run for event in read_history(models / "chosen/history.jsonl").events[1:]] == [run_a, run_b]


def test_bundle_artifact_knows_its_folder(candidates):
    one = candidates.candidate(candidates.examples(20), [0])
    assert Bundle.load(one.bundle.path) == one.bundle
    assert np.array_equal(one.evaluation.predictions() == one.examples.all_labels("test"), np.arange(20) > 0)


def test_named_images_are_the_first_of_both_kinds_with_what_each_took_them_for():
    """Of every 4 rows one is gained, one is lost, one both get right, and one neither."""
    rows = np.arange(4 * (NAMED_PAIRS + 1))
    labels = rows % 3
    wrong = (labels + 1) % 3
    candidate = np.where(rows % 4 <= 1, labels, wrong)
    champion = np.where(rows % 2 == 0, labels, wrong)
    found = pairs(candidate, champion, labels)
    gained, lost = found[:NAMED_PAIRS], found[NAMED_PAIRS:]
    assert [pair.row for pair in gained] == [4 * n + 1 for n in range(NAMED_PAIRS)]
    assert [pair.row for pair in lost] == [4 * n + 2 for n in range(NAMED_PAIRS)]
    assert all(pair.gained and pair.candidate == pair.label == labels[pair.row] for pair in gained)
    assert all(pair.champion == wrong[pair.row] for pair in gained)
    assert all(not pair.gained and pair.champion == pair.label == labels[pair.row] for pair in lost)
    assert all(pair.candidate == wrong[pair.row] for pair in lost)
