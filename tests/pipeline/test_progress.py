"""progress: one line a step, with what a person wants to know of it."""

from __future__ import annotations

from pipeline.outcome import Outcome
from pipeline.progress import line


def test_executed_step_says_what_it_did_and_how_long():
    said = line(Outcome("train", "executed", 4.25, "train-a", "b", True, (), "118,282 parameters"))
    assert said.split() == ["train", "executed", "4.2", "s", "118,282", "parameters"]


def test_refusal_is_loud_where_it_is_and_short_where_it_only_arrives():
    refused = Outcome("evaluate", "executed", 1.0, "a", "b", False, ("0.9 < 0.96",), "0.9 < 0.96; loss 1")
    assert "REFUSED: 0.9 < 0.96" in line(refused)
    assert line(Outcome("export", "refused", reasons=("refused by evaluate: 0.9 < 0.96",))).endswith("by evaluate")
    damaged = Outcome("verify", "refused", reasons=("refused bundle: model.onnx was changed",))
    assert line(damaged).endswith("refused bundle: model.onnx was changed")
