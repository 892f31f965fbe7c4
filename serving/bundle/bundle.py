"""Folder -> Bundle: a model with its manifest, refused if a byte differs from the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.bundle.manifest import MANIFEST, Manifest, changed_refusal, list_files, read_file, read_manifest, refusal
from serving.bundle.onnx_file import external_files
from serving.files import sha256_file

ONNX = "model.onnx"
ONNX_INT8 = "model.int8.onnx"
# A few test images, the trained model's probabilities for them, and how far those of another machine may differ: for a
# smoke test. Bundles of earlier releases have no differences.
SAMPLE_IMAGES = "sample/images.npy"
SAMPLE_PROBABILITIES = "sample/probabilities.npy"
SAMPLE_ALLOWED = "sample/allowed.npy"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files all agree with its manifest.

    Attributes:
        path: its folder.
        sha256: the digest of manifest.json, which contains the digests of all other files: the bundle's identity.
        files: SHA-256 and size in bytes of every other file, by its path below the folder.
    """

    path: Path
    sha256: str
    manifest: Manifest
    files: dict[str, tuple[str, int]]

    def read(self, name: str) -> bytes:
        """The content of one file; its digest is checked again.

        Raises: BundleError: the file was deleted or changed since the bundle was loaded.
        """
        if name not in self.files:
            raise refusal(self.path, f"{name} is not in its manifest: promote the model again")
        return read_file(self.path, name, self.files[name][0])


def load_bundle(path: Path, sha256: str | None = None) -> Bundle:
    """Loads a bundle: every file is hashed before any is used.

    `sha256` is the digest that the manifest must have, from promoted.json; None accepts any.

    Raises:
        BundleError: the manifest is missing or has another format or digest; or a file is extra, missing, linked,
            changed, outside the folder, or takes weights from another file.
        OSError: a file cannot be read, which tells nothing about its bytes.
    """
    found = list_files(path)
    digest, manifest, files = read_manifest(path, sha256)
    _check_files(path, files, found - {MANIFEST})
    return Bundle(path, digest, manifest, files)


def _require_own_weights(path: Path, name: str, content: bytes) -> None:
    """Refuses a model with external files, which the manifest does not cover."""
    try:
        external = external_files(content)
    except ValueError as error:
        raise refusal(path, f"{name} is not an ONNX model ({error}): promote the model again") from error
    if external:
        problem = f"{name} takes weights from another file ({external[0]})"
        raise refusal(path, f"{problem}: export the model with its weights inside")


def _check_files(path: Path, files: dict[str, tuple[str, int]], found: set[str]) -> None:
    for name in sorted(found ^ files.keys()):
        problem = "is missing" if name in files else "is not in its manifest"
        raise refusal(path, f"{name} {problem}: promote the model again")
    for name, (sha256, size_bytes) in sorted(files.items()):
        file = path / name
        if file.stat().st_size != size_bytes:
            raise changed_refusal(path, name)
        if name.endswith(".onnx"):
            _require_own_weights(path, name, read_file(path, name, sha256))
        elif sha256_file(file) != sha256:
            raise changed_refusal(path, name)
