"""A run's artifacts, for what is drawn of them: only from whole ones, each looked at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from components.artifacts.artifact import Artifact
from pipeline.outcome import Made
from pipeline.source_code import library_versions, source_digests
from pipeline.store import PAYLOAD, Store
from serving.errors import BeamlineError
from serving.files import canonical_json

Kind = TypeVar("Kind", bound=Artifact)


@dataclass(frozen=True)
class Payloads:
    """What the steps of a run made.

    Attributes:
        made: the outcomes of its steps.
        store: where the artifacts are.
    """

    made: Made
    store: Store
    _whole: dict[str, Path] = field(default_factory=dict)

    @property
    def digests(self) -> Mapping[str, str]:
        """The content digest of each step's artifact, of those that there are."""
        return {name: str(outcome.sha256) for name, outcome in self.made.items() if outcome.artifact is not None}

    def load(self, step: str, kind: type[Kind]) -> Kind:
        """The artifact of a step.

        Raises:
            BeamlineError: it is not as it was committed: what is drawn of it would be taken over ever after.
        """
        return kind.load(self._path(step))

    def read(self, step: str, kind: type[Kind]) -> Kind:
        """The artifact of a step as it stands there, for what is shown once: nobody hashes a whole data set for it."""
        return kind.load(self.store.root / "artifacts" / str(self.made[step].artifact) / PAYLOAD)

    def identity(self, name: str, module: str, artifacts: Mapping[str, object]) -> str:
        """SHA-256 of everything that a drawing depends on.

        Args:
            name: what is drawn.
            module: what draws it.
            artifacts: the steps whose artifacts it takes; all of them are there.
        """
        parts = {
            "name": name,
            "artifacts": {step: self.digests[step] for step in artifacts},
            "source": source_digests(module),
            "libraries": library_versions(module),
        }
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()

    def _path(self, step: str) -> Path:
        if step not in self._whole:
            folder = self.store.root / "artifacts" / str(self.made[step].artifact)
            stored = self.store.stored(folder)
            damage = "its record is gone" if stored is None else stored.damage()
            if stored is None or damage is not None:
                raise BeamlineError(
                    f"the artifact of {step} is not as it was committed ({damage}): delete {folder} and run again"
                )
            self._whole[step] = stored.path
        return self._whole[step]
