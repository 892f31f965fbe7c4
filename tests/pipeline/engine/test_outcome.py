"""outcome: one outcome_line a step, with what a person wants to know of it."""

from __future__ import annotations

from pipeline.engine.outcome import Outcome, outcome_line


def test_line_of_an_executed_step_has_summary_and_seconds():
    text = outcome_line(Outcome("train", "executed", 4.25, "train-a", "b", True, (), "118,282 parameters"))
    assert text.split() == ["train", "executed", "4.2", "s", "118,282", "parameters"]


def test_refusal_is_marked_at_its_step_and_short_at_later_steps():
    refused = Outcome("evaluate", "executed", 1.0, "a", "b", False, ("0.9 < 0.96",), "0.9 < 0.96; loss 1")
    assert "REFUSED: 0.9 < 0.96" in outcome_line(refused)
    assert outcome_line(Outcome("export", "refused", reasons=("refused by evaluate: 0.9 < 0.96",))).endswith(
        "by evaluate"
    )
    damaged = Outcome("verify", "refused", reasons=("the output of export was changed after it was stored",))
    assert outcome_line(damaged).endswith("the output of export was changed after it was stored")
