"""Converted bundle + Examples + Evaluation -> Bundle: what the gate says of it is in its manifest."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples


def run(converted: Bundle, examples: Examples, evaluation: Evaluation, out: Path) -> Bundle:
    """Copies the files, without an int8 model that the gate refuses, and seals them with the gate's figures."""
    from components.export.int8_gate import apply_gate
    from serving.bundle.bundle import ONNX_INT8
    from serving.errors import BeamlineError, BundleError

    try:
        opened = converted.opened()
    except BundleError as error:
        raise BeamlineError(str(error)) from error
    int8 = apply_gate(opened, examples, evaluation)
    for name in opened.files:
        if name != ONNX_INT8 or "file" in int8:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(opened.path / name, out / name)
    precisions = {**opened.manifest.precisions, "int8": int8}
    return Bundle.seal(out, replace(opened.manifest, gate=_gate(evaluation), precisions=precisions))


def _gate(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "min_accuracy": evaluation.min_accuracy,
        "rows": evaluation.rows,
        "min_recall": evaluation.min_recall,
        "calibration_error": evaluation.calibration_error,
        "evaluation_sha256": evaluation.digest(),
        "weights_sha256": evaluation.weights_sha256,
    }
