"""Files that the system cannot read at the moment, although they are there."""

from __future__ import annotations

import os
from pathlib import Path


def fail_to_open(monkeypatch, name: str, number: int) -> None:
    """Every file or folder with this name, or in a folder of this name, cannot be opened."""

    def failing(function):
        def opened(path, *arguments, **named):
            if isinstance(path, str | os.PathLike) and name in Path(path).parts:
                raise OSError(number, os.strerror(number), str(path))
            return function(path, *arguments, **named)

        return opened

    monkeypatch.setattr(Path, "open", failing(Path.open))
    for function in ("open", "scandir"):
        monkeypatch.setattr(os, function, failing(getattr(os, function)))
