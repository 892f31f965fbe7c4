"""Shared by the tests of bundles: damages to a sealed bundle, and the check that it is refused."""

from __future__ import annotations

import json

import pytest

from serving.bundle.bundle import load_bundle
from serving.errors import BundleError
from serving.files import canonical_json

FILES = (
    "model.onnx",
    "sample/images.npy",
    "sample/probabilities.npy",
    "saved_model.pb",
    "variables/variables.index",
)


def refused(path, named, sha256=None):
    """Asserts that the bundle is refused in one line that names its folder and the file."""
    with pytest.raises(BundleError) as caught:
        load_bundle(path, sha256)
    message = str(caught.value)
    assert message.startswith(f"bundle {path} refused: ")
    assert named in message
    assert "\n" not in message


def flip_a_byte(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def sealed_with(sealed, change):
    """Changes the manifest and writes it in canonical form, as an attacker would."""
    path = sealed.path / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(canonical_json(data), encoding="utf-8")
