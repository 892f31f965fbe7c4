"""models/: numbered versions of a model, and the one file that says which of them serves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from serving import bundle
from serving.bundle import Bundle
from serving.errors import BundleError, InputError
from serving.history import Event, History, read_history

POINTER = "promoted.json"
HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Promoted:
    """The version of a model that serves.

    Attributes:
        version: 1, 2, …; the name of its folder.
        sha256: the bundle's digest, which the folder must still have when it is loaded.
        path: its folder.
        event: who let it serve, when and why.
    """

    model: str
    version: int
    sha256: str
    path: Path
    event: Event

    @property
    def run(self) -> str:
        """The run that made it."""
        return self.event.evidence.run

    def load(self) -> Bundle:
        """The bundle, every file checked. Raises: BundleError."""
        return bundle.load(self.path, self.sha256)


@dataclass(frozen=True)
class Registry:
    """The folder models/, which is a TensorFlow Serving base path and a Triton repository too.

    This is what readers see of it; `serving.pointer` changes it. What only those need who promote is imported where
    it is used: it would be a part of every scorer's start.
    """

    root: Path

    def models(self) -> list[str]:
        """Names of the models that have a promoted version, sorted."""
        return sorted(pointer.parent.name for pointer in self.root.glob(f"*/{POINTER}"))

    def promoted(self, model: str) -> Promoted | None:
        """The version that serves, or None when nothing was promoted yet.

        The pointer is read once: whoever resolved it stays with what it resolved.

        Raises:
            BundleError: the pointer is damaged.
        """
        pointer = self.root / model / POINTER
        try:
            said = json.loads(pointer.read_text(encoding="utf-8"))
            version, sha256, event = said["version"], said["sha256"], Event.from_json(said["event"])
            if (version, sha256) != (event.to_version, event.bundle_sha256):
                raise ValueError("its version or digest is not that of its event")
            return Promoted(model, version, sha256, self.root / model / str(version), event)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleError(f"{pointer} cannot be read: {error.strerror}: put that right") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(f"{pointer} is damaged ({error!r}): promote the model again") from error

    def history(self, model: str) -> History:
        """Every move of a model's pointer, oldest first; of a model that was never promoted, none."""
        history = read_history(self.root / model / HISTORY)
        try:
            promoted = self.promoted(model)
        except BundleError:
            return history
        return history if promoted is None else history.with_last(promoted.event)

    def serving(self, model: str, sha256: str) -> Promoted | None:
        """The version that serves, if it is the bundle with this digest, whole, on record and known to the servers.

        Otherwise there is work to do.
        """
        from serving.versions import is_whole

        try:
            now = self.promoted(model)
        except BundleError:
            return None
        if now is None or now.sha256 != sha256 or not is_whole(now.path, sha256):
            return None
        return now if self._is_followed(now) else None

    def server_files(self, model: str) -> dict[Path, str]:
        """What the files for other servers have to say while a model's promoted version serves; none while none does.

        Raises:
            BundleError: the pointer or the promoted bundle is damaged.
        """
        from serving.servers import TENSORFLOW_SERVING, TRITON, tensorflow_serving_config, triton_config

        promoted = self.promoted(model)
        if promoted is None:
            return {}
        serving = {name: version for name in self.models() if (version := self._told(name)) is not None}
        return {
            self.root / TENSORFLOW_SERVING: tensorflow_serving_config(self.root, serving),
            self.root / model / TRITON: triton_config(model, promoted.version, promoted.load().manifest),
        }

    def _told(self, model: str) -> int | None:
        """The version that servers shall take, also while a model's pointer is damaged."""
        try:
            promoted = self.promoted(model)
        except BundleError:
            last = self.history(model).last
            return None if last is None else last.to_version
        return None if promoted is None else promoted.version

    def _is_followed(self, promoted: Promoted) -> bool:
        from serving.servers import says

        last = read_history(self.root / promoted.model / HISTORY).last
        return (
            last is not None
            and last.sequence == promoted.event.sequence
            and all(says(file, text) for file, text in self.server_files(promoted.model).items())
        )


def require_plain_name(model: str) -> None:
    """Refuses a model name that is no plain folder name, or is taken for another file. Raises: InputError."""
    from serving.servers import TENSORFLOW_SERVING

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", model) or model.lower() == TENSORFLOW_SERVING:
        raise InputError(f"{model!r} is no model name: use letters, digits, '_', '-' and '.', a letter or digit first")
