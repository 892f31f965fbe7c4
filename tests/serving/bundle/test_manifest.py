"""manifest: strict in its format, its values and the files that it names."""

from __future__ import annotations

import hashlib
import json
import os
import re

import pytest

from serving.bundle.manifest import write_manifest
from serving.errors import BundleError
from serving.files import canonical_json
from tests.serving import tiny_bundle
from tests.serving.bundle.refusals import FILES, refused, sealed_with


def test_manifest_is_read_back_as_it_was_written(sealed):
    manifest = sealed.manifest
    assert manifest.model == "tiny"
    assert manifest.image_shape == tiny_bundle.SHAPE
    assert manifest.labels == tiny_bundle.LABELS
    assert manifest.preprocessing == {"normalization": "unit"}
    assert manifest.dataset["splits"] == {"test": {"rows": 10, "sha256": "0" * 64}}
    assert manifest.training == {"preset": "linear", "seed": 0}
    assert manifest.gate == {"accuracy": 0.97, "rows": 10}
    assert manifest.precisions == {
        "float32": {"file": "model.onnx", "accuracy": 0.97, "rows": 10},
        "int8": {"left_out": tiny_bundle.LEFT_OUT},
    }
    assert manifest.versions == {"numpy": "2"}


def test_manifest_holds_digest_and_size_of_every_other_file(sealed):
    assert set(sealed.files) == set(FILES)
    for name, (sha256, size_bytes) in sealed.files.items():
        content = (sealed.path / name).read_bytes()
        assert (sha256, size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_manifest_describes_inputs_and_outputs(sealed):
    data = json.loads((sealed.path / "manifest.json").read_text(encoding="utf-8"))
    assert data["format"] == 1
    assert data["inputs"] == {"images": {"dtype": "uint8", "shape": [None, 4, 3, 2]}}
    assert data["outputs"] == {"probabilities": {"dtype": "float32", "shape": [None, 4]}}


def test_digest_is_that_of_the_manifest_and_independent_of_the_folder(seal):
    one, two, other = seal(), seal(), seal(seed=1)
    assert one.sha256 == hashlib.sha256((one.path / "manifest.json").read_bytes()).hexdigest()
    assert one.sha256 == two.sha256 != other.sha256


def test_manifest_of_another_digest_is_refused(seal):
    one, other = seal(), seal(seed=1)
    refused(one.path, "manifest.json", other.sha256)


@pytest.mark.parametrize("edit", [lambda text: text.replace("\n ", "\n  "), lambda text: text.rstrip("\n")])
def test_manifest_with_other_whitespace_is_refused(sealed, edit):
    path = sealed.path / "manifest.json"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    refused(sealed.path, "manifest.json")


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_refused_with_both_numbers(sealed, number):
    path = sealed.path / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(canonical_json({**data, "format": number}), encoding="utf-8")
    refused(sealed.path, f"manifest.json has format {number!r}, this release reads 1")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"format": 1}', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "cut", "list", "null", "bare", "not-text", "nested"],
)
def test_damaged_manifest_is_refused(sealed, content):
    (sealed.path / "manifest.json").write_bytes(content)
    refused(sealed.path, "manifest.json is damaged")


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [(r"0\.97", "NaN"), (r"0\.97", "Infinity"), (r"plain", r"\\ud800"), (r"null,\s+4", "null, Infinity")],
    ids=["nan", "infinity", "half-a-character", "infinite-shape"],
)
def test_manifest_with_invalid_values_is_refused(sealed, pattern, replacement):
    path = sealed.path / "manifest.json"
    content, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count >= 1
    path.write_text(content, encoding="utf-8")
    refused(sealed.path, "manifest.json")


@pytest.mark.parametrize("key", ["model", "labels", "inputs", "files", "dataset", "gate"])
def test_manifest_without_a_required_key_is_refused(sealed, key):
    path = sealed.path / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data[key]
    path.write_text(canonical_json(data), encoding="utf-8")
    refused(sealed.path, key)


@pytest.mark.parametrize(("key", "value"), [("files", []), ("labels", 3), ("inputs", None)])
def test_manifest_with_a_value_of_another_type_is_refused(sealed, key, value):
    sealed_with(sealed, lambda data: data.update({key: value}))
    refused(sealed.path, "manifest.json is damaged")


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"resize": 3},
        {"resize": {"height": 4}},
        {"background": "white"},
        {"background": {"method": "m"}},
        {"background": {"method": "m", "colour": "pink"}},
        {"background": {"method": "m", "colour": [1, 2, 3]}},
    ],
)
def test_damaged_description_of_what_ingest_does_is_refused(sealed, value):
    sealed_with(sealed, lambda data: data.update(preprocessing=value))
    refused(sealed.path, "manifest.json is damaged")


@pytest.mark.parametrize("path", ["nowhere", "empty", "file"])
def test_folder_without_manifest_is_refused(tmp_path, path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("a file")
    refused(tmp_path / path, "manifest.json cannot be read")


def test_link_cannot_be_sealed(sealed):
    (sealed.path / "manifest.json").unlink()
    (sealed.path / "link").symlink_to(sealed.path / "model.onnx")
    with pytest.raises(BundleError, match="link is a link"):
        write_manifest(sealed.path, sealed.manifest)


@pytest.mark.parametrize(
    "name", ["../outside.txt", "variables/../../outside.txt", "{absolute}", "./model.onnx", "a//b", "", "."]
)
def test_manifest_that_names_a_file_outside_the_folder_is_refused(sealed, name):
    outside = sealed.path.parent / "outside.txt"
    outside.write_text("outside")
    name = name.replace("{absolute}", str(outside))
    entry = {"sha256": hashlib.sha256(b"outside").hexdigest(), "size_bytes": 7}
    sealed_with(sealed, lambda data: data["files"].update({name: entry}))
    refused(sealed.path, f"manifest.json names {name!r}, which is not a path inside")


def test_manifest_that_is_a_pipe_is_refused_without_waiting(sealed):
    (sealed.path / "manifest.json").unlink()
    os.mkfifo(sealed.path / "manifest.json")
    refused(sealed.path, "manifest.json")
