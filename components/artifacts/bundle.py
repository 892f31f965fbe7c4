"""Bundle: the folder of the exported model, as an artifact."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.artifacts.artifact import Artifact
from serving.bundle.bundle import Bundle as CheckedBundle
from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from serving.files import sha256_file


@contextmanager
def under_a_plain_name(folder: Path) -> Iterator[Path]:
    """A folder under another name meanwhile: TensorFlow takes names with `*`, `?` and `[` for patterns."""
    with tempfile.TemporaryDirectory() as place:
        link = Path(place) / "bundle"
        link.symlink_to(folder.absolute(), target_is_directory=True)
        yield link


@dataclass(frozen=True, kw_only=True)
class Bundle(Artifact):
    """Attributes:
    sha256: the digest of its manifest: the bundle's identity.
    """

    sha256: str

    @classmethod
    def seal(cls, path: Path, manifest: Manifest) -> Self:
        """Writes the manifest of the files in the folder."""
        write_manifest(path, manifest)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads only the identity; `opened` checks the files."""
        return cls(path=path, sha256=sha256_file(path / MANIFEST))

    def save(self) -> Self:
        """Writes nothing: a bundle is complete when it is sealed."""
        return self

    def opened(self) -> CheckedBundle:
        """The bundle with all files checked. Raises: BundleError."""
        return load_bundle(self.path, self.sha256)

    def summary(self) -> str:
        """Formats, files, size, digest, and the accuracy of int8 or the reason why it was left out."""
        _, manifest, _ = read_manifest(self.path)
        float32, int8 = manifest.precisions["float32"], manifest.precisions["int8"]
        files = [file for file in self.path.rglob("*") if file.is_file()]
        size_bytes = sum(file.stat().st_size for file in files)
        if "left_out" in int8:
            precisions = f"int8 left out: {int8['left_out']}"
        else:
            precisions = f"int8 accuracy {int8['accuracy']:.4f}, float32 {float32['accuracy']:.4f}"
        formats = f"SavedModel and ONNX, {len(files)} files, {size_bytes / 1e6:.2f} MB, sha256 {self.sha256[:12]}"
        return f"{formats}; {precisions}"
