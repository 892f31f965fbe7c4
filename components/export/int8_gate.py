"""Classes predicted by the float and the int8 model -> the manifest's entry: does int8 pass, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.gate import verdict
from components.significance import SIGNIFICANCE, discordance
from serving.bundle.bundle import ONNX_INT8

Classes = npt.NDArray[np.int64]


def count_correct(predicted: Classes, labels: Classes) -> dict[str, Any]:
    """Counts the rows whose predicted class is their label; both are int64 (n,)."""
    right = predicted == labels
    return {"correct": int(right.sum()), "rows": len(right), "accuracy": float(right.mean())}


def judge_int8(int8: Classes, float32: Classes, labels: Classes, gate: Sequence[RuleResult]) -> dict[str, Any]:
    """The manifest's entry of the int8 model; if it is refused, it has the reason, `left_out`, instead of `file`.

    It is refused if McNemar's mid-p test, one-sided, finds it worse than the float model, or if it fails the gate.
    Classes, predicted by both models for the test set, and labels are int64 (n,); `gate` has the gate's rules for int8.
    """
    figures = count_correct(int8, labels)
    found = discordance(candidate=int8 == labels, champion=float32 == labels)
    passed, reasons = verdict(gate)
    reason = "; ".join(reasons)
    if found.p_worse < SIGNIFICANCE:
        passed = False
        reason = (
            f"{found.lost:,} test rows that float32 gets right are wrong, {found.gained:,} the other way round, "
            f"p {found.p_worse:.2g} < {SIGNIFICANCE:g}"
        )
    return {
        **({"file": ONNX_INT8} if passed else {"left_out": reason}),
        **figures,
        "agreement": float((int8 == float32).mean()),
        "lost": found.lost,
        "gained": found.gained,
        "p_worse": found.p_worse,
    }
