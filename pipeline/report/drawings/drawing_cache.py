"""runs/reports/.parts: the cache of all drawings, by digest of inputs and code; `clean` deletes what nothing shows."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.artifacts.artifact import Artifact
from pipeline.engine.source_code import library_versions, source_digests
from pipeline.records.run_artifacts import RunArtifacts
from serving.files import canonical_json, replace_bytes, sha256_file

FOLDER = ".parts"


@dataclass(frozen=True)
class Drawing:
    """A file that is drawn from a run's artifacts.

    Attributes:
        name: the file's name.
        function: `MODULE:FUNCTION`, what draws from the artifacts, in their order. It is named, not imported: a run
            whose drawings are all in the cache needs neither it nor numpy. The source and the libraries of its module,
            with those of its imports, decide about the bytes.
        render: from the file's name and a call of the function to the file's bytes.
        artifacts: the class of each artifact, by the step that makes it.
    """

    name: str
    function: str
    render: Callable[[str, Callable[[], Any]], bytes]
    artifacts: Mapping[str, type[Artifact]]

    @property
    def module(self) -> str:
        """The module that draws."""
        return self.function.partition(":")[0]

    def possible(self, run: RunArtifacts) -> bool:
        """Whether the run has all artifacts that are needed."""
        return self.artifacts.keys() <= run.digests.keys()

    def identity(self, run: RunArtifacts) -> str:
        """The key of the drawing in the cache, if the run has all artifacts that are needed."""
        digests = {step: run.drawn_digest(step, kind) for step, kind in self.artifacts.items()}
        return identity(self.name, self.module, digests)

    def draw(self, run: RunArtifacts) -> bytes:
        """The file's bytes. Raises: BeamlineError: an artifact was deleted, changed, or cannot be read."""
        draw = getattr(importlib.import_module(self.module), self.function.partition(":")[2])
        loaded = [run.load(step, kind) for step, kind in self.artifacts.items()]
        return self.render(self.name, partial(draw, *loaded))


@dataclass(frozen=True)
class DrawingCache:
    """The cache of a folder of runs, made when something is first drawn. Two runs may use it at once."""

    folder: Path

    @classmethod
    def of(cls, runs: Path) -> DrawingCache:
        """The cache of a folder runs/."""
        return cls(runs / "reports" / FOLDER)

    def find(self, key: str) -> Path | None:
        """The file with this key; None if there is no such file, or its bytes were changed."""
        # The name ends in the digest of the content: a picture is a hard link, which a user may write to.
        return next((file for file in self.folder.glob(f"{key}-*") if _is_intact(file)), None)

    def get(self, key: str, make: Callable[[], bytes]) -> Path:
        """The file with this key, made now if it is not in the cache."""
        if (found := self.find(key)) is not None:
            return found
        content = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{key}-{hashlib.sha256(content).hexdigest()}"
        replace_bytes(file, content)
        return file


def identity(name: str, module: str, inputs: Any) -> str:
    """SHA-256 of everything that a drawing depends on.

    Args:
        name: the drawing's name.
        module: the module that draws it.
        inputs: JSON values: the digests of the artifacts, or the data themselves.
    """
    code = {"source": source_digests(module), "libraries": library_versions(module)}
    return hashlib.sha256(canonical_json({"name": name, "inputs": inputs, **code}).encode()).hexdigest()


def _is_intact(file: Path) -> bool:
    try:
        return sha256_file(file) == file.name.rpartition("-")[2]
    except OSError:
        return False
