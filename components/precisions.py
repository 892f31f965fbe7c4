"""Classes that the float and the int8 model give the test rows -> may int8 serve? The figures, for the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.rule import Rule, verdict
from components.mcnemar import SIGNIFICANCE, discordance
from serving.bundle import ONNX_INT8

Classes = npt.NDArray[np.int64]


def score(predicted: Classes, labels: Classes) -> dict[str, Any]:
    """How many rows get their own label.

    Args:
        predicted: int64 (n,).
        labels: int64 (n,).
    """
    right = predicted == labels
    return {"correct": int(right.sum()), "rows": len(right), "accuracy": float(right.mean())}


def judge_int8(int8: Classes, float32: Classes, labels: Classes, gate: Sequence[Rule]) -> dict[str, Any]:
    """The manifest's entry of the int8 model: where it loses, the reason, `left_out`, stands in the place of its file.

    It loses where McNemar's mid-p test, one-sided, finds it worse than the float model, and where it does not pass the
    gate by itself.

    Args:
        int8: int64 (n,), the classes that it gives the whole test split.
        float32: int64 (n,), those of the float model.
        labels: int64 (n,).
        gate: the rules that the trained model passed, for what int8 says.
    """
    figures = score(int8, labels)
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
