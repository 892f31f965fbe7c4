"""Bundle: the exported model in its sealed folder, as `serving.bundle` reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import serving.bundle
from components.artifacts.artifact import Artifact
from serving.bundle import Manifest
from serving.files import sha256_file


@dataclass(frozen=True, kw_only=True)
class Bundle(Artifact):
    """Attributes:
    sha256: the digest of its manifest: the bundle's identity.
    """

    sha256: str

    @classmethod
    def seal(cls, path: Path, manifest: Manifest) -> Self:
        """Writes the manifest over the files that stand in the folder."""
        serving.bundle.write_manifest(path, manifest)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads the identity only; whoever uses the files checks them with `opened`."""
        return cls(path=path, sha256=sha256_file(path / serving.bundle.MANIFEST))

    def save(self) -> Self:
        """Nothing is left to write: a sealed bundle is complete."""
        return self

    def opened(self) -> serving.bundle.Bundle:
        """The bundle with every file checked. Raises: BundleError."""
        return serving.bundle.load(self.path, self.sha256)

    def summary(self) -> str:
        """Digest, files, size, and what became of int8."""
        manifest = json.loads((self.path / serving.bundle.MANIFEST).read_text(encoding="utf-8"))
        float32, int8 = manifest["precisions"]["float32"], manifest["precisions"]["int8"]
        files = [file for file in self.path.rglob("*") if file.is_file()]
        size_bytes = sum(file.stat().st_size for file in files)
        if "left_out" in int8:
            precisions = f"int8 left out: {int8['left_out']}"
        else:
            precisions = f"int8 accuracy {int8['accuracy']:.4f}, float32 {float32['accuracy']:.4f}"
        formats = f"SavedModel and ONNX, {len(files)} files, {size_bytes / 1e6:.2f} MB, sha256 {self.sha256[:12]}"
        return f"{formats}; {precisions}"
