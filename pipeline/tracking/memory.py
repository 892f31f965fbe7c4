"""models/<model>/tracking.json: that MLflow follows what serves, and where it is, for whoever moves it next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from serving.errors import BeamlineError
from serving.files import replace_json

FILE = "tracking.json"
TRACKER = "mlflow"


@dataclass(frozen=True)
class Memory:
    """Where MLflow is, without credentials.

    Attributes:
        uri: the tracking server's.
        registry_uri: that of the registry of models.
        experiment: name of the experiment that the model's runs are in.
        followed: the sequence number of the pointer's last move that the alias has followed; 0 where there is none.
    """

    uri: str
    registry_uri: str
    experiment: str
    followed: int = 0


def read_memory(folder: Path) -> Memory | None:
    """What a model's folder remembers; None where it is not tracked.

    Raises:
        BeamlineError: the file cannot be read.
    """
    file = folder / FILE
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        if said.pop("tracker") != TRACKER:
            raise ValueError("another tracker's")
        memory = Memory(**said)
        if type(memory.followed) is not int or not all(type(v) is str for k, v in said.items() if k != "followed"):
            raise ValueError("a value of another kind")
        return memory
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BeamlineError(f"{file} cannot be read ({error!r})") from error


def write_memory(folder: Path, memory: Memory) -> None:
    """Replaces what a model's folder remembers."""
    replace_json(folder / FILE, {"tracker": TRACKER, **asdict(memory)})


def without_credentials(uri: str) -> str:
    """An address without user, password and query; a path, as SQLite's, as it is."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return uri
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
