"""manifest.json -> Manifest: the description of a bundle, and the digest and size of each of its files."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from serving.blocks import Colour
from serving.codec import from_json
from serving.errors import BundleError
from serving.files import GONE, canonical_json, raise_unless_gone, sha256_file, write_json

FORMAT = 1
MANIFEST = "manifest.json"
# The largest height, width or number of channels of an image.
MAX_SIDE = 1 << 16
# The entries of `preprocessing` about images of other sizes and transparent pictures; bundles of earlier releases have
# none.
RESIZE, BACKGROUND = "resize", "background"


class _File(NamedTuple):
    """The digest and size of a file, as the manifest has them."""

    sha256: str
    size_bytes: int


class Background(NamedTuple):
    """How ingest laid transparent pictures on a colour: the method, and red, green and blue."""

    method: str
    colour: Colour


@dataclass(frozen=True)
class Manifest:
    """The description of a bundle.

    Attributes:
        model: its name in the registry.
        image_shape: (height, width, channels) of one input image; the input `images` is uint8 (n, h, w, c).
        labels: the class names in order of their integer label; the output `probabilities` is float32 (n, classes).
        preprocessing: the steps of the exported graph before the first layer; `resize`, how ingest gave the images
            their size before it: method, height and width, or None if it did not resize; and `background`, how it laid
            transparent pictures on a colour: method and colour as `#rrggbb`, or None if it did not.
        dataset: name, version, and per split its rows and the SHA-256 of its content.
        training: the recipe: preset, layers, loss, optimizer, epochs, batch size, seed.
        gate: accuracy on the test split with its interval, the limit, and the number of rows.
        precisions: by name, `float32` and `int8`: the file and its accuracy on the test set with onnxruntime; for an
            int8 model that failed the int8 gate, the reason instead.
        versions: the versions of the libraries that exported it.
    """

    model: str
    image_shape: tuple[int, int, int]
    labels: tuple[str, ...]
    preprocessing: dict[str, Any]
    dataset: dict[str, Any]
    training: dict[str, Any]
    gate: dict[str, Any]
    precisions: dict[str, dict[str, Any]]
    versions: dict[str, str]

    def __post_init__(self) -> None:
        """Checks what the types do not say. Raises: ValueError."""
        if not 1 <= min(self.image_shape) <= max(self.image_shape) <= MAX_SIDE:
            raise ValueError(f"the shape of the images is {self.image_shape}")
        if not isinstance(self.dataset.get("name"), str):
            raise ValueError("the data set has no name")
        if "left_out" in self.precisions.get("float32", {}):
            raise ValueError("the float32 model, which every bundle has, is left out")

    @property
    def resize_method(self) -> str | None:
        """How the training images were resized; None if they were not, or if it is not recorded."""
        entry = self.preprocessing.get(RESIZE)
        return None if entry is None else str(entry["method"])

    @property
    def background(self) -> Background | None:
        """What the training pictures were laid on; None if they were not, or if it is not recorded."""
        entry = self.preprocessing.get(BACKGROUND)
        if entry is None:
            return None
        red, green, blue = bytes.fromhex(entry["colour"].removeprefix("#"))
        return Background(str(entry["method"]), (red, green, blue))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seals a bundle: writes manifest.json with the digests of all files in the folder, which has no manifest yet."""
    files = {
        name: {"sha256": sha256_file(folder / name), "size_bytes": (folder / name).stat().st_size}
        for name in sorted(list_files(folder))
    }
    description = {name: value for name, value in vars(manifest).items() if name != "image_shape"}
    inputs = {"images": {"dtype": "uint8", "shape": [None, *manifest.image_shape]}}
    outputs = {"probabilities": {"dtype": "float32", "shape": [None, len(manifest.labels)]}}
    sealed = {"format": FORMAT, "inputs": inputs, "outputs": outputs, **description, "files": files}
    write_json(folder / MANIFEST, sealed)


def read_manifest(path: Path, sha256: str | None = None) -> tuple[str, Manifest, dict[str, tuple[str, int]]]:
    """Reads manifest.json alone, which must have the digest `sha256`; no other file of the bundle is checked.

    Returns: the manifest's digest, the manifest, and the SHA-256 and size in bytes of every other file, by name.

    Raises: BundleError: the manifest is missing, damaged, or has another format or digest.
    """
    raw = read_file(path, MANIFEST, sha256)
    manifest, files = _parse(path, raw)
    _check_names(path, files)
    return hashlib.sha256(raw).hexdigest(), manifest, files


def list_files(root: Path) -> set[str]:
    """Paths of the regular files below `root`. Links are refused: their targets can change unnoticed.

    Raises: BundleError: an entry is a link or not a regular file; OSError: a folder cannot be read.
    """
    names = set()
    for folder, folders, files in os.walk(root, onerror=raise_unless_gone):
        for name in [*folders, *files]:
            entry = Path(folder) / name
            found = entry.lstat()
            relative = entry.relative_to(root).as_posix()
            if stat.S_ISDIR(found.st_mode):
                continue
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise refusal(root, f"{relative} is a link or not a regular file: copy the file itself")
            names.add(relative)
    return names


def refusal(path: Path, problem: str) -> BundleError:
    """The error of a bundle that is never loaded; the problem says what is wrong, and what to do."""
    return BundleError(f"bundle {path} refused: {problem}")


def changed_refusal(path: Path, name: str) -> BundleError:
    """The error of a file whose content is not what the manifest, or the registry for a manifest, recorded."""
    problem = f"{name} was changed after the export (its content is not what was recorded)"
    return refusal(path, f"{problem}: promote the model again")


def read_file(path: Path, name: str, sha256: str | None) -> bytes:
    """Reads a bundle's file.

    Raises: BundleError: it is missing, or its SHA-256 is known and differs; OSError: it cannot be read.
    """
    try:
        content = (path / name).read_bytes()
    except GONE as error:
        raise refusal(path, f"{name} cannot be read: {error.strerror}: promote the model again") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise changed_refusal(path, name)
    return content


def _parse(path: Path, raw: bytes) -> tuple[Manifest, dict[str, tuple[str, int]]]:
    try:
        data = json.loads(raw)
        if data["format"] != FORMAT:
            problem = f"{MANIFEST} has format {data['format']!r}, this release reads {FORMAT}"
            raise refusal(path, f"{problem}: score it with the release that made it")
        described = {field.name: data[field.name] for field in fields(Manifest) if field.name != "image_shape"}
        described["image_shape"] = data["inputs"]["images"]["shape"][1:]
        # Lists in mappings stay lists, as `write_manifest` gets them.
        read = from_json(Manifest, described, MANIFEST)
        described |= {"image_shape": read.image_shape, "labels": read.labels}
        files = from_json(dict[str, _File], data["files"], "files")
        canonical = canonical_json(data).encode()
        manifest = Manifest(**described)
        # The rest of `preprocessing` is a description only.
        _ = manifest.resize_method, manifest.background
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise refusal(path, f"{MANIFEST} is damaged ({error!r}): promote the model again") from error
    if canonical != raw:
        raise changed_refusal(path, MANIFEST)
    return manifest, dict(files)


def _check_names(path: Path, files: dict[str, tuple[str, int]]) -> None:
    """Refuses a manifest that names a file outside the bundle's folder, whether the file exists or not."""
    for name in sorted(files):
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or PurePosixPath(*parts).as_posix() != name:
            problem = f"{MANIFEST} names {name!r}, which is not a path inside the bundle's folder"
            raise refusal(path, f"{problem}: promote the model again")
