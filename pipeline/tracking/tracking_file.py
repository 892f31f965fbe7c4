"""models/<model>/tracking.json: a model that has it is tracked."""

from __future__ import annotations

import os
from pathlib import Path

TRACKING_STATE = "tracking.json"


def is_tracked(folder: Path) -> bool:
    """Whether the model with this folder is tracked; its file may be damaged. Most are not, and need no MLflow."""
    return os.path.lexists(folder / TRACKING_STATE)
