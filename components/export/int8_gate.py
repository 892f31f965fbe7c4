"""Classes predicted by the float and the int8 model -> the manifest's entry: does int8 pass, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.gate import judge_predictions, verdict
from components.significance import SIGNIFICANCE, Discordance, discordance, holm
from serving.blocks import Images
from serving.bundle.bundle import ONNX_INT8, Bundle
from serving.scoring.network import Network

Classes = npt.NDArray[np.int64]


def count_correct(predicted: Classes, labels: Classes) -> dict[str, Any]:
    """Counts the rows whose predicted class is their label; both are int64 (n,)."""
    right = predicted == labels
    return {"correct": int(right.sum()), "rows": len(right), "accuracy": float(right.mean())}


def predicted_classes(content: bytes, images: Images) -> Classes:
    """int64 (n,): the class that an ONNX model predicts for each image, uint8 (n, h, w, c)."""
    classes: Classes = Network(content).probabilities(images).argmax(axis=1)
    return classes


def judge_int8(int8: Classes, float32: Classes, labels: Classes, class_names: Sequence[str]) -> dict[str, Any]:
    """The manifest's entry of the int8 model; if it is refused, it has the reason, `left_out`, instead of `file`.

    It is refused if McNemar's mid-p test, one-sided, finds it worse than the float model, on all rows or on those of a
    class (with Holm's correction); or if it gets no row of a class right, and the float model does.

    Args:
        int8: int64 (n,), the classes that the int8 model predicts for the test set.
        float32: int64 (n,), those of the float model.
        labels: int64 (n,).
        class_names: by integer label.
    """
    found = discordance(candidate=int8 == labels, champion=float32 == labels)
    if found.p_worse < SIGNIFICANCE:
        reason: str | None = f"{_counts(found)}, p {found.p_worse:.2g} < {SIGNIFICANCE:g}"
    else:
        reason = _worse_class(int8, float32, labels, class_names)
    return {
        **({"file": ONNX_INT8} if reason is None else {"left_out": reason}),
        **count_correct(int8, labels),
        "agreement": float((int8 == float32).mean()),
        "lost": found.lost,
        "gained": found.gained,
        "p_worse": found.p_worse,
    }


def apply_gate(opened: Bundle, examples: Examples, evaluation: Evaluation) -> dict[str, Any]:
    """The manifest's entry of a bundle's int8 model: as it was, or left out, because the gate refuses it."""
    entry = opened.manifest.precisions["int8"]
    if "file" not in entry:
        return entry
    classes = predicted_classes(opened.read(entry["file"]), examples.all_images("test"))
    passed, reasons = verdict(judge_predictions(classes, examples, evaluation))
    if passed:
        return entry
    return {"left_out": "; ".join(reasons), **{name: value for name, value in entry.items() if name != "file"}}


def _worse_class(int8: Classes, float32: Classes, labels: Classes, class_names: Sequence[str]) -> str | None:
    """Why the classes refuse, naming the one that int8 does worst on; None if none refuses."""
    present = np.unique(labels).tolist()
    counts = []
    for label in present:
        rows = labels == label
        counts.append(discordance(candidate=int8[rows] == label, champion=float32[rows] == label))
    p_values = holm([count.p_worse for count in counts])
    for p, count, label in sorted(zip(p_values, counts, present, strict=True), key=lambda found: found[0]):
        where = f"class {class_names[label]}: {_counts(count)}"
        if p < SIGNIFICANCE:
            return f"{where}, p {p:.2g} < {SIGNIFICANCE:g} (for {len(present)} classes)"
        if count.lost and not ((int8 == label) & (labels == label)).any():
            return f"{where}: none of the class is right"
    return None


def _counts(found: Discordance) -> str:
    return f"{found.lost:,} test rows that float32 gets right are wrong, {found.gained:,} the other way round"
