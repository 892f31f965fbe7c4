"""headline: a card starts with the verdict and its reasons, each once, in sentences that stay true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.artifacts.artifact import RuleResult
from components.artifacts.promotion import Promotion
from components.artifacts.verification import Verification
from pipeline.engine.outcome import Outcome
from pipeline.report.headline import headline, verdict_reasons, verdict_shown
from tests.pipeline.report.conftest import record_of
from tests.pipeline.report.html_page import SCRIPT, page_of

ACCURACY = "accuracy 0.9340, 95 % interval 0.9088 to 0.9526, lower bound 0.9088 ≥ 0.84"
EVALUATED = Outcome("evaluate", "executed", passed=True, reasons=(ACCURACY,))
VERIFIED = Outcome("verify", "executed", passed=True, reasons=("all agree", "at most 0.60 of what rounding allows"))
PROMOTED = Outcome("promote", "executed", passed=True, reasons=("m version 2 serves now", "not worse", "no drop"))
FOUND = Outcome("promote", "cached", passed=True, reasons=("m version 2 already serves",))


def record(*outcomes, verdict="promoted", root):
    return record_of("0001", {outcome.name: outcome for outcome in outcomes}, root, verdict, model="m")


@pytest.mark.parametrize(
    ("last", "verdict", "badge", "expected", "reasons"),
    [
        (PROMOTED, "promoted", "promoted", "Promoted as m version 2", (ACCURACY, "not worse", "no drop")),
        (FOUND, "promoted", "served already", "Nothing to promote: m version 2 served already", (ACCURACY,)),
        (None, "passed", "passed", "Passed every gate; nothing was promoted, as requested", (ACCURACY,)),
        (None, "interrupted", "interrupted", "", (ACCURACY,)),
    ],
)
def test_headline_has_the_verdict_and_its_reasons(tmp_path, last, verdict, badge, expected, reasons):
    outcomes = [EVALUATED, VERIFIED] + ([] if last is None else [last])
    found = record(*outcomes, verdict=verdict, root=tmp_path)
    assert verdict_shown(found) == badge
    assert headline(found, 2) == expected
    assert verdict_reasons(found) == reasons


def test_unknown_version_is_left_out(tmp_path):
    assert headline(record(EVALUATED, PROMOTED, root=tmp_path), None) == "Promoted as m"


def promoted(runs, version):
    """The outcomes of a run with a promotion and a verification."""
    folder = runs.store.root.parent
    rules = (RuleResult("probabilities", True, "at most 0.60 of what rounding allows"),)
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
        path=folder / "promotion",
        model="m",
        version=version,
        bundle_sha256="b",
        rules=(RuleResult("drop", True, "no drop"),),
    )
    made = runs.made()
    made["evaluate"] = replace(made["evaluate"], reasons=(ACCURACY,))
    made["verify"] = runs.commit("verify", verification.save(), reasons=VERIFIED.reasons)
    made["promote"] = runs.commit("promote", promotion.save(), reasons=PROMOTED.reasons)
    return made


def test_card_starts_with_the_version_and_has_the_parity_check_in_the_gates(runs):
    page = page_of(runs, promoted(runs, 2), model=SCRIPT)
    begun = page.text[page.text.index("Run 0001 promoted") : page.text.index(" Model ")]
    assert begun.endswith(f"Run 0001 promoted Promoted as {SCRIPT} version 2 {ACCURACY} not worse no drop")
    gates = page.text.partition(" Arithmetic ")[2].partition(" Training ")[0]
    assert "at most 0.60 of what rounding allows" in gates
    assert "What rounding allows: twice the largest difference from float64" in gates
    assert page.text.count("What rounding allows: twice") == 1


def test_card_of_a_run_whose_model_served_before_shows_no_promotion(runs):
    page = page_of(runs, {**runs.made(), "promote": FOUND}, model="m")
    assert "Run 0001 served already Nothing to promote: m served already" in page.text
    assert "Promoted" not in page.text
