"""A fault, and a bundle -> the bundle with one file that holds the fault."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np

from components.artifacts.examples import CALIBRATION_ROWS
from components.export.onnx_graph import convert
from components.export.quantization import quantize
from components.export.saved_model import serving_module, write_saved_model
from tests.components.verify.faults import Faulty, UnsuitableError


def faulty_module(model, transform, image_shape, change, folder):
    """Trained Model, its Transform, a fault -> the module to export, with the fault. Raises: UnsuitableError."""
    import tensorflow as tf

    described = json.loads((model.path / "architecture.json").read_text())
    weighted = [entry["config"] for entry in described["config"]["layers"] if "activation" in entry["config"]]
    given = Faulty([w.copy() for w in model.weights()], [c["activation"] for c in weighted], transform, image_shape)
    before = replace(given, weights=[w.copy() for w in given.weights], activations=[*given.activations])
    change(given)
    if all(map(np.array_equal, before.weights, given.weights)) and before == replace(given, weights=before.weights):
        raise UnsuitableError
    for config, activation in zip(weighted, given.activations, strict=True):
        config["activation"] = activation
    shutil.copytree(model.path, folder)
    (folder / "architecture.json").write_text(json.dumps(described))
    for index, weights in enumerate(given.weights):
        np.save(folder / f"weights-{index:03d}.npy", weights.astype(np.float32))
    module = serving_module(replace(model, path=folder), given.transform, image_shape)
    serve = module.serve

    def faulty(images):
        return {"probabilities": given.probabilities(serve(given.images(images))["probabilities"])}

    module.changes_images = before.images is not given.images
    if module.changes_images or before.probabilities is not given.probabilities:
        module.serve = tf.function(faulty, input_signature=serve.input_signature)
    return module


def put_onnx(module, bundle, examples):
    """Replaces the bundle's ONNX model by that of a module."""
    (bundle / "model.onnx").write_bytes(_converted(module, examples).SerializeToString(deterministic=True))


def put_int8(module, bundle, examples):
    """Replaces the bundle's int8 model by that of a module. Raises: UnsuitableError: the integers are the same."""
    calibration = np.concatenate([*examples.sampled_images("train", CALIBRATION_ROWS)])
    quantized = quantize(_converted(module, examples), calibration)
    before = constants_of(bundle / "model.int8.onnx")
    (bundle / "model.int8.onnx").write_bytes(quantized.SerializeToString(deterministic=True))
    if constants_of(bundle / "model.int8.onnx") == before:
        raise UnsuitableError


def _converted(module, examples):
    if module.changes_images:
        # Export folds what it finds between the images and the first layer.
        raise UnsuitableError
    labels = json.dumps(examples.class_names, ensure_ascii=False)
    return convert(module, {"model": "faulty", "labels": labels})


def constants_of(file):
    """The operations and constants of an ONNX file, without its properties."""
    import onnx

    graph = onnx.load(file).graph
    return [(node.op_type, list(node.input)) for node in graph.node], [t.SerializeToString() for t in graph.initializer]


def put_saved_model(module, bundle, examples):
    """Replaces the bundle's SavedModel by that of a module."""
    shutil.rmtree(bundle / "variables")
    write_saved_model(module, bundle)


FORMATS = {"ONNX": put_onnx, "int8": put_int8, "SavedModel": put_saved_model}
