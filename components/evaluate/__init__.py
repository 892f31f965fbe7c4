"""Predictions + Examples -> Evaluation: the candidate's figures on the test set, judged by the gate."""

from components.evaluate.evaluate import Params, run

__all__ = ["Params", "run"]
