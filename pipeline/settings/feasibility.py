"""Checks before a run: a configuration that must fail later is refused at once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from components.validate.validate import read_schema
from pipeline.settings.config import Config
from serving.errors import InputError
from serving.faults.fault import OF_THE_MACHINE
from serving.faults.wording import existing


def require_writable(flag: str, folder: Path) -> None:
    """Refuses a folder that cannot be written or made. Raises: InputError; OSError: its disk fails or is full."""
    try:
        with tempfile.TemporaryFile(dir=existing(folder)):
            pass
    except OSError as error:
        if error.errno in OF_THE_MACHINE:
            raise
        raise InputError(f"{flag} {folder} cannot be written: {error.strerror}: give another folder") from error


def require_feasible(config: Config) -> None:
    """Refuses folders that cannot be written, unknown Beam arguments and an unreadable schema. Raises: InputError."""
    for flag, folder in config.places().items():
        require_writable(flag, folder)
    config.beam.require_known()
    # The validate step reads it again; here an error is reported before the data are prepared.
    read_schema(config.validate, config.context())
