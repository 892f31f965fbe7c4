"""How this process was started -> the names of the commands in help and messages."""

from __future__ import annotations

import os
import sys

# The console scripts of setup.py.
PIPELINE_SCRIPT, SCORER_SCRIPT = "beamline", "beamline-score"

_from_script = os.path.basename(sys.argv[0]) in (PIPELINE_SCRIPT, SCORER_SCRIPT)
# The commands as this user types them.
PIPELINE = PIPELINE_SCRIPT if _from_script else "python -m pipeline"
SCORER = SCORER_SCRIPT if _from_script else "python -m serving.batch_score"


def pipeline_arguments() -> list[str]:
    """The interpreter's arguments that start the pipeline again, in the way in which this process was started."""
    script = sys.argv[0]
    return [script] if os.path.basename(script) == PIPELINE_SCRIPT else ["-m", "pipeline"]
