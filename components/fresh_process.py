"""Bundle + images -> what the batch scorer says and takes, in a process that has neither TensorFlow nor Beam."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import serving.batch_score
from components.artifacts.verification import Measured
from serving.errors import BeamlineError

# A process that scores the bundle must not need these: importing one is made to fail.
FRESH_PROCESS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "apache_beam", "tensorflow_datasets"):
            raise ImportError(name + " is blocked here")

sys.meta_path.insert(0, Absent())
from serving.batch_score import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Fresh:
    """What came out of the process.

    Attributes:
        probabilities: float32 (n, classes).
        measured: what it took.
    """

    probabilities: npt.NDArray[np.float32]
    measured: Measured


def score_in_fresh_process(bundle: Path, images: npt.NDArray[np.uint8], out: Path) -> Fresh:
    """Scores images as a user does, with `python -m serving.batch_score`.

    Args:
        bundle: its folder.
        images: uint8 (n, h, w, c), 0 to 255.
        out: for files on the way; they are gone when this returns.

    Raises:
        BeamlineError: it ends with an error, which is in the sentence.
    """
    given, scored = out / "fresh.npy", out / "fresh.scored.npy"
    sidecar = scored.with_name(scored.name + ".json")
    np.save(given, images)
    command = [sys.executable, "-P", "-c", FRESH_PROCESS, str(given), "--model", str(bundle)]
    root = Path(serving.batch_score.__file__).parent.parent
    try:
        done = subprocess.run(
            [*command, "--probabilities", "--out", str(scored)],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BeamlineError(f"a process without TensorFlow cannot score the bundle: {done.stderr.strip()[-500:]}")
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        return Fresh(np.load(scored), Measured(**{name: said[name] for name in Measured.__dataclass_fields__}))
    finally:
        for file in (given, scored, sidecar):
            file.unlink(missing_ok=True)
