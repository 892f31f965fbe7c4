"""verify: the int8 model must be the one that export judged, and pass the gate."""

from __future__ import annotations

from dataclasses import replace

from tests.components.verify.changed_bundles import seal_again


def test_int8_model_that_differs_from_the_exported_one_is_refused(made, verify_bundle, bundle_copy):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(bundle_copy / "model.int8.onnx")
    weights = [tensor for tensor in model.graph.initializer if tuple(tensor.dims) == (16, 4)][-1]
    weights.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights), weights.name))
    (bundle_copy / "model.int8.onnx").write_bytes(model.SerializeToString())
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert not refused.passed
    failed = [rule.name for rule in refused.rules if not rule.passed]
    assert failed == ["int8 weights", "int8 accuracy"]
    assert refused.reasons[0].startswith("int8: scores, kernel [")


def test_int8_model_that_cannot_be_loaded_is_refused(made, verify_bundle, bundle_copy):
    (bundle_copy / "model.int8.onnx").write_bytes(
        (bundle_copy / "model.onnx").read_bytes().replace(b"Softmax", b"Softmix")
    )
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    (reason,) = refused.reasons
    assert "onnxruntime cannot load or run the model" in reason


def test_bundle_without_int8_passes_without_int8_rules(made, verify_bundle, bundle_copy):
    manifest = made.bundle.opened().manifest
    (bundle_copy / "model.int8.onnx").unlink()
    without = {**manifest.precisions, "int8": {"left_out": "it lost"}}
    passed = verify_bundle(seal_again(bundle_copy, replace(manifest, precisions=without)))
    assert passed.passed
    assert not any(rule.name.startswith("int8") for rule in passed.rules)
