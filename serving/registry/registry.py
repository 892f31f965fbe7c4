"""models/: numbered versions of each model, and the pointer file that names the version that serves."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.codec import FormatError, parse
from serving.errors import BundleError, InputError
from serving.registry.promotion_events import PromotionEvent, PromotionEvents, read_promotion_events

POINTER = "promoted.json"
HISTORY = "history.jsonl"
# The file of TensorFlow Serving beside the models' folders; no model can have its name.
TENSORFLOW_SERVING = "models.config"


@dataclass(frozen=True)
class PointerFile:
    """The content of promoted.json."""

    IGNORES_UNKNOWN = True

    version: int
    sha256: str
    event: dict[str, Any]


@dataclass(frozen=True)
class Promoted:
    """The version of a model that serves.

    Attributes:
        version: 1, 2, …; the name of its folder.
        sha256: the bundle's digest; loading checks that the folder still has it.
        path: the version's folder.
        event: the promotion or rollback that made it serve.
    """

    model: str
    version: int
    sha256: str
    path: Path
    event: PromotionEvent

    @property
    def run(self) -> str:
        """The run that made the version."""
        return self.event.evidence.run


@dataclass(frozen=True)
class Registry:
    """Reads models/, from which TensorFlow Serving and Triton load models; `serving.registry.pointer` writes it."""

    root: Path

    def models(self) -> list[str]:
        """Names of the models that have a promoted version, sorted.

        Raises: InputError: the folder cannot be read. OSError: the disk fails.
        """
        try:
            names = sorted(os.listdir(self.root))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            # Imported here: it would take a part of the time to score a small file.
            from serving.faults.fault import OF_THE_MACHINE

            if error.errno in OF_THE_MACHINE:
                raise
            advice = "give this process the permission to read it, or another folder with --models"
            raise InputError(f"{self.root} cannot be read: {error.strerror}: {advice}") from error
        return [name for name in names if self._has_pointer(name)]

    def promoted(self, model: str) -> Promoted | None:
        """The version that serves, or None if nothing was promoted yet.

        The result is not updated by later promotions.
        Raises: BundleError: the pointer is damaged; OSError: it cannot be read, and may be intact.
        """
        file = self.root / model / POINTER
        try:
            content = parse(PointerFile, file.read_bytes(), "pointer")
            event = PromotionEvent.from_json(content.event, "event")
            if (content.version, content.sha256) != (event.to_version, event.bundle_sha256):
                raise FormatError("its version or digest is not that of its event")
        except FileNotFoundError:
            return None
        except (NotADirectoryError, IsADirectoryError) as error:
            raise BundleError(f"{file} cannot be read: {error.strerror}: fix that and try again") from error
        except FormatError as error:
            raise BundleError(f"{file} is damaged ({error}): promote the model again") from error
        return Promoted(model, content.version, content.sha256, self.root / model / str(content.version), event)

    def _has_pointer(self, model: str) -> bool:
        try:
            return (self.root / model / POINTER).exists()
        except OSError:
            # `promoted` says why it cannot be read; a model that is not listed would be lost from the servers' files.
            return True

    def promotion_events(self, model: str) -> PromotionEvents:
        """All promotion events of a model, oldest first; none if it was never promoted."""
        events = read_promotion_events(self.root / model / HISTORY)
        try:
            promoted = self.promoted(model)
        except BundleError:
            return events
        return events if promoted is None else events.with_last(promoted.event)


def require_model_name(name: str, kind: str = "model name") -> None:
    """Refuses a name that is not a plain folder name, or is the name of a server's file. Raises: InputError."""
    if name.lower() == TENSORFLOW_SERVING:
        raise InputError(f"{name!r} is not a valid {kind}: the registry's file for TensorFlow Serving has that name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise InputError(
            f"{name!r} is not a valid {kind}: use letters, digits, '_', '-' and '.', a letter or digit first"
        )
