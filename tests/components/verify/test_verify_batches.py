"""verify: a model whose probabilities depend on the batch is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from components.export.saved_model import serving_module, write_saved_model
from tests.components.verify.changed_bundles import seal_again


@pytest.mark.parametrize(("slope", "passes"), [(1e-3, False), (1e-9, True)])
def test_saved_model_that_depends_on_the_batch_is_refused(made, verify_bundle, bundle_copy, slope, passes):
    import tensorflow as tf

    module = serving_module(made.model, made.transform, made.examples.image_shape)
    answer = module.serve

    def of_a_batch(images):
        probabilities = answer(images)["probabilities"]
        shift = slope * tf.reduce_mean(probabilities[:, 0]) * tf.constant([1.0, -1.0, 0.0, 0.0])
        return {"probabilities": probabilities + shift}

    module.serve = tf.function(of_a_batch, input_signature=answer.input_signature)
    shutil.rmtree(bundle_copy / "variables")
    write_saved_model(module, bundle_copy)
    judged = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    (rule,) = [rule for rule in judged.rules if rule.name == "batches"]
    assert rule.passed is judged.passed is passes
    expected = "batches of 1 and 7: at most 0." if passes else "SavedModel in batches of "
    assert rule.message.startswith(expected)


def add_batch_mean(folder, label=0, above=0.0, slope=1e-4):
    """Adds the batch's mean to its rows, so that probabilities depend on the batch: only to rows with a high label."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(folder / "model.onnx")
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    output = softmax.output[0]
    softmax.output[0] = "alone"
    constants = {"of_label": np.array([label]), "above": np.float32(above), "slope": np.float32([[slope, 0, 0, 0]])}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items())
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["alone"], ["of_batch"], axes=[0], keepdims=1),
            helper.make_node("Gather", ["alone", "of_label"], ["sure"], axis=1),
            helper.make_node("Sub", ["sure", "above"], ["more"]),
            helper.make_node("Relu", ["more"], ["only_more"]),
            helper.make_node("Mul", ["of_batch", "slope"], ["a_little"]),
            helper.make_node("Mul", ["a_little", "only_more"], ["shift"]),
            helper.make_node("Add", ["alone", "shift"], [output]),
        ]
    )
    (folder / "model.onnx").write_bytes(model.SerializeToString())


def test_onnx_model_that_depends_on_the_batch_is_refused(made, verify_bundle, bundle_copy):
    add_batch_mean(bundle_copy, slope=1e-3)
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    (reason,) = [rule.message for rule in refused.rules if rule.name == "batches"]
    assert reason.startswith("ONNX in batches of 1, test image ")


def test_every_test_image_is_scored_in_small_batches_with_onnx(made, verify_bundle, bundle_copy):
    probabilities = made.evaluation.probabilities()
    first, later = probabilities[:100].max(axis=0), probabilities[100:].max(axis=0)
    label = int((later - first).argmax())
    gap = float(later[label] - first[label])
    assert gap > 1e-6
    add_batch_mean(bundle_copy, label, above=first[label] + gap / 2, slope=1e-3 / gap)
    refused = verify_bundle(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert "batches" in [rule.name for rule in refused.rules if not rule.passed]
