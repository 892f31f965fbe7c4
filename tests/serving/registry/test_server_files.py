"""server_files: the files that tell TensorFlow Serving and Triton the version; protobuf's own parser reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from serving.errors import BundleError
from serving.registry.pointer import lock_pointer
from serving.registry.server_files import server_files
from tests.serving.tiny_bundle import publish

TEXT, INT64 = 9, 3
# The used parts of tensorflow_serving/config/model_server_config.proto and of Triton's model_config.proto:
# message -> field -> (number, type or message, repeated). Numbers do not matter for text.
SCHEMA = {
    "ModelServerConfig": {"model_config_list": (1, "ModelConfigList", False)},
    "ModelConfigList": {"config": (1, "ModelConfig", True)},
    "ModelConfig": {
        "name": (1, TEXT, False),
        "base_path": (2, TEXT, False),
        "model_platform": (4, TEXT, False),
        "model_version_policy": (7, "ServableVersionPolicy", False),
    },
    "ServableVersionPolicy": {"specific": (102, "Specific", False)},
    "Specific": {"versions": (1, INT64, True)},
    "TritonModel": {
        "name": (1, TEXT, False),
        "backend": (17, TEXT, False),
        "max_batch_size": (4, INT64, False),
        "input": (5, "TritonTensor", True),
        "output": (6, "TritonTensor", True),
        "version_policy": (3, "ServableVersionPolicy", False),
    },
    "TritonTensor": {"name": (1, TEXT, False), "data_type": (2, "DataType", False), "dims": (3, INT64, True)},
}
DATA_TYPES = {"TYPE_UINT8": 2, "TYPE_FP32": 11}


def parsed(kind, text):
    file = descriptor_pb2.FileDescriptorProto(name="servers.proto", package="servers", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    types.value.add(name="TYPE_INVALID", number=0)
    for name, number in DATA_TYPES.items():
        types.value.add(name=name, number=number)
    for message, fields in SCHEMA.items():
        message_type = file.message_type.add(name=message)
        for name, (number, of, repeated) in fields.items():
            field = message_type.field.add(name=name, number=number, label=3 if repeated else 1)
            if isinstance(of, int):
                field.type = of
            else:
                field.type_name = f".servers.{of}"
                field.type = 14 if of == "DataType" else 11
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"servers.{kind}"))
    return text_format.Parse(text, found())


def tensorflow_serving(registry):
    config = parsed("ModelServerConfig", (registry.root / "models.config").read_text(encoding="utf-8"))
    return {
        c.name: (c.base_path, list(c.model_version_policy.specific.versions)) for c in config.model_config_list.config
    }


def triton(registry, model):
    return parsed("TritonModel", (registry.root / model / "config.pbtxt").read_text(encoding="utf-8"))


def test_files_name_the_version_and_the_interface(registry, sealed):
    publish(registry, sealed)
    assert tensorflow_serving(registry) == {"tiny": (str(registry.root.resolve() / "tiny"), [1])}
    config = triton(registry, "tiny")
    assert (config.name, config.backend, list(config.version_policy.specific.versions)) == ("tiny", "onnxruntime", [1])
    assert config.max_batch_size > 1
    ((images,), (probabilities,)) = (config.input, config.output)
    assert (images.name, images.data_type, list(images.dims)) == ("images", DATA_TYPES["TYPE_UINT8"], [4, 3, 2])
    assert (probabilities.name, probabilities.data_type) == ("probabilities", DATA_TYPES["TYPE_FP32"])
    assert list(probabilities.dims) == [4]


def test_files_follow_promotion_and_rollback(registry, seal):
    for seed, version in ((0, 1), (1, 2)):
        publish(registry, seal(seed=seed))
        assert tensorflow_serving(registry)["tiny"][1] == [version]
        assert list(triton(registry, "tiny").version_policy.specific.versions) == [version]
    with lock_pointer(registry, "tiny") as pointer:
        pointer.roll_back(None, "too slow")
    assert tensorflow_serving(registry)["tiny"][1] == [1]
    assert list(triton(registry, "tiny").version_policy.specific.versions) == [1]


def test_file_of_tensorflow_serving_lists_all_models(registry, seal):
    publish(registry, seal(), "first")
    publish(registry, seal(seed=1), "second")
    assert {model: versions for model, (_, versions) in tensorflow_serving(registry).items()} == {
        "first": [1],
        "second": [1],
    }


def test_model_with_a_damaged_pointer_stays_in_the_file(registry, seal):
    publish(registry, seal(), "first")
    (registry.root / "first/promoted.json").write_text("{")
    publish(registry, seal(seed=1), "second")
    assert tensorflow_serving(registry)["first"][1] == [1]
    (registry.root / "first/history.jsonl").unlink()
    publish(registry, seal(seed=2), "second")
    assert {model: versions for model, (_, versions) in tensorflow_serving(registry).items()} == {"second": [2]}


def test_model_without_a_promoted_version_has_no_files(registry, sealed):
    publish(registry, sealed, "other")
    assert server_files(registry, "tiny") == {}


def test_special_characters_in_the_path_are_escaped(tmp_path, sealed):
    from serving.registry.registry import Registry

    registry = Registry(tmp_path / 'a "quoted" back\\slash é and a new\nline')
    publish(registry, sealed)
    assert tensorflow_serving(registry)["tiny"][0] == str(registry.root.resolve() / "tiny")


def test_path_is_absolute_because_the_server_starts_elsewhere(tmp_path, sealed, monkeypatch):
    from serving.registry.registry import Registry

    monkeypatch.chdir(tmp_path)
    registry = Registry(Path("models"))
    publish(registry, sealed)
    assert tensorflow_serving(registry)["tiny"][0] == str(tmp_path.resolve() / "models/tiny")


def test_damaged_promoted_bundle_leaves_the_files_unchanged(registry, seal):
    promoted = publish(registry, seal())
    before = (registry.root / "tiny/config.pbtxt").read_bytes()
    (promoted.path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError):
        server_files(registry, "tiny")
    with lock_pointer(registry, "tiny"):
        pass
    assert (registry.root / "tiny/config.pbtxt").read_bytes() == before
