"""Folder -> Bundle: a model with its manifest, refused unless every byte is as the manifest says."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from serving.errors import BundleError
from serving.files import canonical_json, sha256_file, write_json
from serving.onnx_file import external_files

FORMAT = 1
MANIFEST = "manifest.json"
ONNX = "model.onnx"
ONNX_INT8 = "model.int8.onnx"
# A few test images, and what the trained model said of them: to try the bundle wherever it is to serve.
SAMPLE_IMAGES = "sample/images.npy"
SAMPLE_PROBABILITIES = "sample/probabilities.npy"


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        model: the name under which it is promoted.
        image_shape: (height, width, channels) of one input image; the input `images` is uint8 (n, h, w, c).
        labels: the class names in order of their integer label; the output `probabilities` is float32 (n, classes).
        preprocessing: what the exported graph does to the pixels before the first layer.
        dataset: name, version, and per split its rows and the SHA-256 of its content.
        training: the recipe: preset, layers, loss, optimizer, epochs, batch size, seed.
        gate: accuracy on the test split with its interval, the limit, and the number of rows.
        precisions: by name, `float32` and `int8`, the file and what it scores on the test split by onnxruntime; of an
            int8 model that lost to the float one, why it was left out instead of the file.
        versions: of the libraries that made it.
    """

    model: str
    image_shape: tuple[int, int, int]
    labels: tuple[str, ...]
    preprocessing: dict[str, Any]
    dataset: dict[str, Any]
    training: dict[str, Any]
    gate: dict[str, Any]
    precisions: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files were all found to be as its manifest says.

    Attributes:
        path: its folder.
        sha256: the digest of manifest.json, which holds the digests of all other files: the bundle's identity.
        files: SHA-256 and size in bytes of every other file, by its path below the folder.
    """

    path: Path
    sha256: str
    manifest: Manifest
    files: dict[str, tuple[str, int]]

    def read(self, name: str) -> bytes:
        """The bytes of one file, checked again as they are read, so that what is used is what was checked.

        Raises:
            BundleError: the file is gone or changed since the bundle was loaded.
        """
        if name not in self.files:
            raise BundleError(f"bundle {self.path} refused: {name} is not in its manifest: promote the model again")
        return _read(self.path, name, self.files[name][0])


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seals a bundle: writes manifest.json over all files that are in the folder now.

    Args:
        folder: holds model.onnx, saved_model.pb and variables/, and no manifest yet.
        manifest: what to say of them.
    """
    files = {
        name: {"sha256": sha256_file(folder / name), "size_bytes": (folder / name).stat().st_size}
        for name in sorted(_list_files(folder))
    }
    write_json(
        folder / MANIFEST,
        {
            "format": FORMAT,
            "model": manifest.model,
            "inputs": {"images": {"dtype": "uint8", "shape": [None, *manifest.image_shape]}},
            "outputs": {"probabilities": {"dtype": "float32", "shape": [None, len(manifest.labels)]}},
            "labels": list(manifest.labels),
            "preprocessing": manifest.preprocessing,
            "dataset": manifest.dataset,
            "training": manifest.training,
            "gate": manifest.gate,
            "precisions": manifest.precisions,
            "versions": manifest.versions,
            "files": files,
        },
    )


def load(path: Path, sha256: str | None = None) -> Bundle:
    """Loads a bundle, the only way in: every file is hashed before anything is used.

    Args:
        path: the bundle's folder.
        sha256: the manifest's digest, where it is known from elsewhere (promoted.json); None trusts the manifest.

    Raises:
        BundleError: no manifest, a manifest of another format or digest, or a file that is extra, missing,
            linked or changed, that lies elsewhere, or that takes its weights from elsewhere.
    """
    found = _list_files(path)
    try:
        raw = (path / MANIFEST).read_bytes()
    except OSError as error:
        raise BundleError(f"bundle {path} refused: {MANIFEST} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(raw).hexdigest()
    if sha256 is not None and digest != sha256:
        raise BundleError(_changed(path, MANIFEST))
    manifest, files = _parse(path, raw)
    _check_names(path, files)
    _check_files(path, files, found - {MANIFEST})
    return Bundle(path, digest, manifest, files)


def _parse(path: Path, raw: bytes) -> tuple[Manifest, dict[str, tuple[str, int]]]:
    try:
        said = json.loads(raw)
        if said["format"] != FORMAT:
            raise BundleError(
                f"bundle {path} refused: {MANIFEST} has format {said['format']!r}, this release reads {FORMAT}: "
                "score it with the release that made it"
            )
        _, height, width, channels = said["inputs"]["images"]["shape"]
        manifest = Manifest(
            model=said["model"],
            image_shape=(int(height), int(width), int(channels)),
            labels=tuple(said["labels"]),
            preprocessing=said["preprocessing"],
            dataset=said["dataset"],
            training=said["training"],
            gate=said["gate"],
            precisions=said["precisions"],
            versions=said["versions"],
        )
        files = {name: (entry["sha256"], entry["size_bytes"]) for name, entry in said["files"].items()}
        canonical = canonical_json(said).encode()
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BundleError(
            f"bundle {path} refused: {MANIFEST} is damaged ({error!r}): promote the model again"
        ) from error
    if canonical != raw:
        raise BundleError(_changed(path, MANIFEST))
    return manifest, files


def _check_names(path: Path, files: dict[str, tuple[str, int]]) -> None:
    """Refuses a manifest that names what is not below the bundle's folder, whether it is there or not."""
    for name in sorted(files):
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or PurePosixPath(*parts).as_posix() != name:
            raise BundleError(
                f"bundle {path} refused: {MANIFEST} names {name!r}, which is no path below the bundle's folder: "
                "promote the model again"
            )


def _read(path: Path, name: str, sha256: str) -> bytes:
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise BundleError(f"bundle {path} refused: {name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BundleError(_changed(path, name))
    return content


def _require_own_weights(path: Path, name: str, content: bytes) -> None:
    """Refuses a model that would have onnxruntime read other files, which no manifest answers for."""
    try:
        external = external_files(content)
    except ValueError as error:
        raise BundleError(
            f"bundle {path} refused: {name} is no ONNX model ({error}): promote the model again"
        ) from error
    if external:
        raise BundleError(
            f"bundle {path} refused: {name} takes weights from another file ({external[0]}): "
            "export the model with its weights inside"
        )


def _check_files(path: Path, files: dict[str, tuple[str, int]], found: set[str]) -> None:
    for name in sorted(found ^ files.keys()):
        what = "is missing" if name in files else "is not in its manifest"
        raise BundleError(f"bundle {path} refused: {name} {what}: promote the model again")
    for name, (sha256, size_bytes) in sorted(files.items()):
        file = path / name
        if file.stat().st_size != size_bytes:
            raise BundleError(_changed(path, name))
        if name.endswith(".onnx"):
            _require_own_weights(path, name, _read(path, name, sha256))
        elif sha256_file(file) != sha256:
            raise BundleError(_changed(path, name))


def _list_files(root: Path) -> set[str]:
    """Paths of the regular files below `root`; a link of either kind could change behind our back."""
    names = set()
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            entry = Path(folder) / name
            found = entry.lstat()
            relative = entry.relative_to(root).as_posix()
            if stat.S_ISDIR(found.st_mode):
                continue
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise BundleError(
                    f"bundle {root} refused: {relative} is a link or no plain file: copy the file itself there"
                )
            names.add(relative)
    return names


def _changed(path: Path, name: str) -> str:
    return f"bundle {path} refused: {name} is not what was promoted (its SHA-256 differs): promote the model again"
