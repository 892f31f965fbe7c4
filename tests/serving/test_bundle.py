"""bundle: loaded only when every byte is as the manifest says."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil

import onnx
import pytest
from onnx.external_data_helper import set_external_data

from serving import bundle
from serving.errors import BundleError
from serving.files import canonical_json
from tests.serving import tiny_bundle

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
        bundle.load(path, sha256)
    message = str(caught.value)
    assert message.startswith(f"bundle {path} refused: ")
    assert named in message
    assert "\n" not in message


def flip_a_byte(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


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


def test_manifest_says_inputs_and_outputs(sealed):
    said = json.loads((sealed.path / "manifest.json").read_text(encoding="utf-8"))
    assert said["format"] == 1
    assert said["inputs"] == {"images": {"dtype": "uint8", "shape": [None, 4, 3, 2]}}
    assert said["outputs"] == {"probabilities": {"dtype": "float32", "shape": [None, 4]}}


def test_digest_is_the_manifests_and_the_same_wherever_the_bundle_is_made(seal):
    one, two, other = seal(), seal(), seal(seed=1)
    assert one.sha256 == hashlib.sha256((one.path / "manifest.json").read_bytes()).hexdigest()
    assert one.sha256 == two.sha256 != other.sha256


def test_copy_is_loaded_by_its_digest(sealed, tmp_path):
    copy = shutil.copytree(sealed.path, tmp_path / "copy")
    assert bundle.load(copy, sealed.sha256).manifest == sealed.manifest


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_one_flipped_byte_is_refused(sealed, name):
    flip_a_byte(sealed.path / name)
    refused(sealed.path, name, sealed.sha256)


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_is_refused_where_the_digest_is_not_known(sealed, name):
    flip_a_byte(sealed.path / name)
    refused(sealed.path, name)


def test_manifest_of_another_digest_is_refused(seal):
    one, other = seal(), seal(seed=1)
    refused(one.path, "manifest.json", other.sha256)


@pytest.mark.parametrize("edit", [lambda text: text.replace("\n ", "\n  "), lambda text: text.rstrip("\n")])
def test_manifest_that_was_edited_by_hand_is_refused(sealed, edit):
    path = sealed.path / "manifest.json"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    refused(sealed.path, "manifest.json")


@pytest.mark.parametrize("name", ["extra.txt", "variables/extra.txt", "assets/extra.txt", "variables/manifest.json"])
def test_extra_file_is_refused(sealed, name):
    (sealed.path / name).parent.mkdir(exist_ok=True)
    (sealed.path / name).write_text("extra")
    refused(sealed.path, name)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_missing_file_is_refused(sealed, name):
    (sealed.path / name).unlink()
    refused(sealed.path, name)


@pytest.mark.parametrize("name", [*FILES, "manifest.json", "variables"])
def test_symbolic_link_is_refused(sealed, tmp_path, name):
    shutil.move(sealed.path / name, tmp_path / "elsewhere")
    (sealed.path / name).symlink_to(tmp_path / "elsewhere")
    refused(sealed.path, name, sealed.sha256)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_hard_link_is_refused(sealed, tmp_path, name):
    os.link(sealed.path / name, tmp_path / "elsewhere")
    refused(sealed.path, name, sealed.sha256)


def test_pipe_is_refused(sealed):
    os.mkfifo(sealed.path / "pipe")
    refused(sealed.path, "pipe")


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_refused_with_both_numbers(sealed, number):
    path = sealed.path / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(canonical_json({**said, "format": number}), encoding="utf-8")
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
def test_manifest_with_values_that_no_export_writes_is_refused(sealed, pattern, replacement):
    path = sealed.path / "manifest.json"
    content, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count >= 1
    path.write_text(content, encoding="utf-8")
    refused(sealed.path, "manifest.json")


@pytest.mark.parametrize("key", ["model", "labels", "inputs", "files", "dataset", "gate"])
def test_manifest_that_lacks_a_key_is_refused(sealed, key):
    path = sealed.path / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    del said[key]
    path.write_text(canonical_json(said), encoding="utf-8")
    refused(sealed.path, key)


@pytest.mark.parametrize(("key", "value"), [("files", []), ("labels", 3), ("inputs", None)])
def test_manifest_with_a_value_of_another_kind_is_refused(sealed, key, value):
    sealed_with(sealed, lambda said: said.update({key: value}))
    refused(sealed.path, "manifest.json is damaged")


@pytest.mark.parametrize("path", ["nowhere", "empty", "file"])
def test_folder_without_manifest_is_refused(tmp_path, path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no folder")
    refused(tmp_path / path, "manifest.json cannot be read")


@pytest.mark.parametrize("name", FILES)
def test_read_gives_the_bytes_that_were_checked(sealed, name):
    assert sealed.read(name) == (sealed.path / name).read_bytes()


@pytest.mark.parametrize("damage", [flip_a_byte, lambda file: file.write_bytes(b""), lambda file: file.unlink()])
def test_read_refuses_a_file_that_changed_after_loading(sealed, damage):
    damage(sealed.path / "model.onnx")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        sealed.read("model.onnx")


def test_read_refuses_a_file_that_the_manifest_does_not_name(sealed):
    (sealed.path / "later.txt").write_text("put there after loading")
    with pytest.raises(BundleError, match=r"later\.txt is not in its manifest"):
        sealed.read("later.txt")


def test_link_is_not_sealed(sealed):
    (sealed.path / "manifest.json").unlink()
    (sealed.path / "link").symlink_to(sealed.path / "model.onnx")
    with pytest.raises(BundleError, match="link is a link"):
        bundle.write_manifest(sealed.path, sealed.manifest)


def sealed_with(sealed, change):
    """Puts the manifest through a function and seals the bundle with it, as a forger would."""
    path = sealed.path / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    change(said)
    path.write_text(canonical_json(said), encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["../outside.txt", "variables/../../outside.txt", "{absolute}", "./model.onnx", "a//b", "", "."]
)
def test_manifest_that_names_a_file_elsewhere_is_refused_though_the_file_is_as_it_says(sealed, name):
    outside = sealed.path.parent / "outside.txt"
    outside.write_text("outside")
    name = name.replace("{absolute}", str(outside))
    entry = {"sha256": hashlib.sha256(b"outside").hexdigest(), "size_bytes": 7}
    sealed_with(sealed, lambda said: said["files"].update({name: entry}))
    refused(sealed.path, f"manifest.json names {name!r}, which is no path below")


def test_size_that_is_not_the_files_own_is_refused_though_its_content_is_as_the_manifest_says(sealed):
    sealed_with(sealed, lambda said: said["files"]["model.onnx"].update(size_bytes=1))
    refused(sealed.path, "model.onnx")


def with_external_weights(sealed, location, name="model.onnx"):
    """The sealed network with one weight that lies in another file, sealed again."""
    model = onnx.load(sealed.path / "model.onnx")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "weights")
    set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    (sealed.path / name).write_bytes(model.SerializeToString())
    (sealed.path / "manifest.json").unlink()
    bundle.write_manifest(sealed.path, sealed.manifest)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/weights.bin", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
def test_model_that_takes_weights_from_elsewhere_is_refused(sealed, location):
    with_external_weights(sealed, location)
    refused(sealed.path, f"model.onnx takes weights from another file ({location})")


@pytest.mark.parametrize("name", ["model.int8.onnx", "variables/model.onnx"])
def test_second_model_that_takes_weights_from_elsewhere_is_refused_too(sealed, name):
    with_external_weights(sealed, "weights.bin", name)
    refused(sealed.path, f"{name} takes weights from another file (weights.bin)")


def test_model_that_is_no_protobuf_is_refused(sealed):
    (sealed.path / "model.onnx").write_bytes(b"\xff" * 100)
    (sealed.path / "manifest.json").unlink()
    bundle.write_manifest(sealed.path, sealed.manifest)
    refused(sealed.path, "model.onnx is no ONNX model")


def test_manifest_that_is_a_pipe_is_refused_and_not_waited_for(sealed):
    (sealed.path / "manifest.json").unlink()
    os.mkfifo(sealed.path / "manifest.json")
    refused(sealed.path, "manifest.json")
