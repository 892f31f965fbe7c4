"""bundle: loaded only if every byte agrees with the manifest."""

from __future__ import annotations

import os
import shutil

import onnx
import pytest
from onnx.external_data_helper import set_external_data

from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import write_manifest
from serving.errors import BundleError
from tests.serving.bundle.refusals import FILES, flip_a_byte, refused, sealed_with


def test_copy_is_loaded_by_its_digest(sealed, tmp_path):
    copy = shutil.copytree(sealed.path, tmp_path / "copy")
    assert load_bundle(copy, sealed.sha256).manifest == sealed.manifest


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_one_flipped_byte_is_refused(sealed, name):
    flip_a_byte(sealed.path / name)
    refused(sealed.path, name, sealed.sha256)


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_is_refused_without_a_known_digest(sealed, name):
    flip_a_byte(sealed.path / name)
    refused(sealed.path, name)


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


@pytest.mark.parametrize("name", FILES)
def test_read_returns_the_checked_bytes(sealed, name):
    assert sealed.read(name) == (sealed.path / name).read_bytes()


@pytest.mark.parametrize("damage", [flip_a_byte, lambda file: file.write_bytes(b""), lambda file: file.unlink()])
def test_read_refuses_a_file_that_changed_after_loading(sealed, damage):
    damage(sealed.path / "model.onnx")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        sealed.read("model.onnx")


def test_read_refuses_a_file_that_is_not_in_the_manifest(sealed):
    (sealed.path / "later.txt").write_text("put there after loading")
    with pytest.raises(BundleError, match=r"later\.txt is not in its manifest"):
        sealed.read("later.txt")


def test_wrong_size_is_refused_even_with_the_right_digest(sealed):
    sealed_with(sealed, lambda data: data["files"]["model.onnx"].update(size_bytes=1))
    refused(sealed.path, "model.onnx")


def with_external_weights(sealed, location, name="model.onnx"):
    """The sealed network with one weight that lies in another file, sealed again."""
    model = onnx.load(sealed.path / "model.onnx")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "weights")
    set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    (sealed.path / name).write_bytes(model.SerializeToString())
    (sealed.path / "manifest.json").unlink()
    write_manifest(sealed.path, sealed.manifest)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/weights.bin", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
def test_model_with_external_weights_is_refused(sealed, location):
    with_external_weights(sealed, location)
    refused(sealed.path, f"model.onnx takes weights from another file ({location})")


@pytest.mark.parametrize("name", ["model.int8.onnx", "variables/model.onnx"])
def test_second_model_with_external_weights_is_refused(sealed, name):
    with_external_weights(sealed, "weights.bin", name)
    refused(sealed.path, f"{name} takes weights from another file (weights.bin)")


def test_model_that_is_not_a_protobuf_message_is_refused(sealed):
    (sealed.path / "model.onnx").write_bytes(b"\xff" * 100)
    (sealed.path / "manifest.json").unlink()
    write_manifest(sealed.path, sealed.manifest)
    refused(sealed.path, "model.onnx is not an ONNX model")
