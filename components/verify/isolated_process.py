"""Bundle + images -> probabilities and costs of the batch scorer, in a process without TensorFlow and Beam."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.npy_writer import write_array
from components.artifacts.verification import Measured
from components.verify.parity import Probabilities
from serving.batch_score import main
from serving.errors import BeamlineError, BundleError
from serving.process.child import child_environment, python_command

# Scoring must not need the training libraries: in this program, importing one of them fails.
PROGRAM = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "apache_beam", "tensorflow_datasets"):
            raise ImportError(name + " is blocked here")

sys.meta_path.insert(0, Absent())
from {main.__module__} import main
sys.exit(main())
"""


def score_in_isolated_process(bundle: Path, images: npt.NDArray[np.uint8], out: Path) -> tuple[Probabilities, Measured]:
    """Scores images, uint8 (n, h, w, c), as a user does, with `python -m serving.batch_score`.

    Temporary files are written to `out` and removed.

    Returns: the probabilities, float32 (n, classes), and the time and memory of scoring.

    Raises:
        BundleError: the process refuses the bundle.
        BeamlineError: the process fails, which says nothing about the bundle; the message has the reason.
    """
    given, scored = out / "fresh.npy", out / "fresh.scored.npy"
    sidecar = scored.with_name(scored.name + ".json")
    write_array(given, images)
    command = python_command("-c", PROGRAM, str(given), "--model", str(bundle))
    try:
        done = subprocess.run(
            [*command, "--probabilities", "--out", str(scored)],
            env=child_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == BundleError.exit_code:
            raise BundleError(f"a process without TensorFlow refuses the bundle: {_last_line(done)}")
        if done.returncode:
            raise BeamlineError(
                f"the process that scores without TensorFlow {_reason(done)}; nothing is decided about the model: "
                "run again"
            )
        metadata = json.loads(sidecar.read_text(encoding="utf-8"))
        return np.load(scored), Measured(**{field.name: metadata[field.name] for field in fields(Measured)})
    finally:
        for file in (given, scored, sidecar):
            file.unlink(missing_ok=True)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Why a process ended: its signal, or the last line that it printed."""
    if done.returncode < 0:
        return f"was ended by {signal.Signals(-done.returncode).name}"
    printed = _last_line(done)
    return f"ended with exit code {done.returncode}" + (f": {printed}" if printed else "")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().rpartition("\n")[2].removeprefix("batch_score: ")[-500:]
