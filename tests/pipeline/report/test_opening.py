"""opening: a card begins with what came of the run, in words that stay true, and each fact once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.artifacts.promotion import Promotion
from components.artifacts.rule import Rule
from components.artifacts.verification import Verification
from pipeline.outcome import Outcome
from pipeline.report.opening import headline, rests_on, verdict_shown
from tests.pipeline.report.conftest import record_of
from tests.pipeline.report.test_card import SCRIPT, page_of

ACCURACY = "accuracy 0.9340, 95 % interval 0.9088 to 0.9526, lower bound 0.9088 ≥ 0.84"
EVALUATED = Outcome("evaluate", "executed", passed=True, reasons=(ACCURACY,))
VERIFIED = Outcome("verify", "executed", passed=True, reasons=("all agree", "|Δp| ≤ 4.2e-07"))
PROMOTED = Outcome("promote", "executed", passed=True, reasons=("m version 2 serves now", "not worse", "no drop"))
FOUND = Outcome("promote", "cached", passed=True, reasons=("m version 2 already serves",))


def record(*outcomes, verdict="promoted", root):
    return record_of("0001", {outcome.name: outcome for outcome in outcomes}, root, verdict, model="m")


@pytest.mark.parametrize(
    ("last", "verdict", "shown", "said", "sentences"),
    [
        (PROMOTED, "promoted", "promoted", "Promoted as m version 2", (ACCURACY, "not worse", "no drop")),
        (FOUND, "promoted", "served already", "Nothing to promote: m version 2 served already", (ACCURACY,)),
        (None, "passed", "passed", "Passed every gate; nothing was promoted, as it was asked", (ACCURACY,)),
        (None, "interrupted", "interrupted", "", (ACCURACY,)),
    ],
)
def test_opening_says_what_came_of_the_run_and_what_it_rests_on(tmp_path, last, verdict, shown, said, sentences):
    outcomes = [EVALUATED, VERIFIED] + ([] if last is None else [last])
    found = record(*outcomes, verdict=verdict, root=tmp_path)
    assert verdict_shown(found) == shown
    assert headline(found, 2) == said
    assert rests_on(found) == sentences


def test_version_that_nobody_knows_is_left_out(tmp_path):
    assert headline(record(EVALUATED, PROMOTED, root=tmp_path), None) == "Promoted as m"


def promoted(runs, version):
    """A run's artifacts with its promotion and verification, as the card takes them."""
    folder = runs.store.root.parent
    rules = (Rule("probabilities", True, "|Δp| ≤ 4.2e-07"),)
    (folder / "verification").mkdir()
    (folder / "promotion").mkdir()
    verification = Verification(
        path=folder / "verification",
        bundle_sha256="b",
        rows=90,
        correct=80,
        disagreements=(),
        max_difference=4.2e-7,
        rules=rules,
    )
    promotion = Promotion(
        path=folder / "promotion", model="m", version=version, bundle_sha256="b", rules=(Rule("drop", True, "no drop"),)
    )
    made = runs.made()
    made["evaluate"] = replace(made["evaluate"], reasons=(ACCURACY,))
    made["verify"] = runs.commit("verify", verification.save(), reasons=VERIFIED.reasons)
    made["promote"] = runs.commit("promote", promotion.save(), reasons=PROMOTED.reasons)
    return made


def test_card_leads_with_the_version_and_leaves_parity_to_the_gates(runs):
    page = page_of(runs, promoted(runs, 2), model=SCRIPT)
    begun = page.text[page.text.index("Run 0001 promoted") : page.text.index(" Model ")]
    assert begun.endswith(f"Run 0001 promoted Promoted as {SCRIPT} version 2 {ACCURACY} not worse no drop")
    gates = page.text.partition(" Arithmetic ")[2].partition(" Training ")[0]
    assert "|Δp| ≤ 4.2e-07" in gates
    assert "Δp: the largest difference of a probability between Keras, SavedModel and ONNX" in gates
    assert page.text.count("Δp: the largest difference") == 1


def test_card_of_a_run_that_found_its_model_serving_is_no_promotion(runs):
    page = page_of(runs, {**runs.made(), "promote": FOUND}, model="m")
    assert "Run 0001 served already Nothing to promote: m served already" in page.text
    assert "Promoted" not in page.text
