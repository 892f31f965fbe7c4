"""A small sealed bundle, made without TensorFlow: one layer and a softmax over the pixels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from components.export.folding import fold
from components.export.quantization import quantize
from serving.blocks import Images
from serving.bundle.bundle import ONNX, ONNX_INT8, SAMPLE_IMAGES, SAMPLE_PROBABILITIES, Bundle, load_bundle
from serving.bundle.manifest import Manifest, write_manifest
from serving.registry.pointer import lock_pointer
from serving.registry.promotion_events import Evidence, PromotionEvents, read_promotion_events
from serving.registry.registry import Promoted, Registry
from serving.resize import METHOD

SHAPE = (4, 3, 2)
LABELS = ("plain", "comma, inside", 'quote "inside"', "snow 雪")
LEFT_OUT = "9 test rows that float32 gets right are wrong, 0 the other way round, p 0.00098 < 0.05"


def random_weights(image_shape: tuple[int, int, int], classes: int, seed: int) -> np.ndarray:
    """float32 (pixels, classes): every class is the most probable one for some random images."""
    weights = np.random.default_rng(seed).normal(size=(int(np.prod(image_shape)), classes)).astype(np.float32)
    return weights - weights.mean(axis=0)


def network(
    image_shape: tuple[int, int, int], classes: int, seed: int, weights: np.ndarray | None = None
) -> onnx.ModelProto:
    """`images` uint8 (n, h, w, c) -> `probabilities` float32 (n, classes), its weights given or drawn from the seed."""
    if weights is None:
        weights = random_weights(image_shape, classes, seed)
    constants = {
        "scale": np.float32(1 / 255),
        "weights": weights,
        "bias": np.linspace(0, 0.1, classes, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scale"], ["scaled"]),
        helper.make_node("Flatten", ["scaled"], ["rows"], axis=1),
        helper.make_node("MatMul", ["rows", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", *image_shape])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def seal(
    folder: Path,
    model: str = "tiny",
    image_shape: tuple[int, int, int] = SHAPE,
    dataset: str = "tiny",
    seed: int = 0,
    weights: np.ndarray | None = None,
    labels: tuple[str, ...] = LABELS,
    int8: bool = False,
    preprocessing: dict[str, Any] | None = None,
    **gate: Any,
) -> Bundle:
    """Makes a bundle in a new folder and loads it; another seed makes another digest; `gate` are fields of its gate."""
    (folder / "variables").mkdir(parents=True)
    made = network(image_shape, len(LABELS), seed, weights)
    onnx.save(made, folder / ONNX)
    if int8:
        folded = network(image_shape, len(LABELS), seed, weights)
        fold(folded)
        onnx.save(quantize(folded, random_images(100, image_shape)), folder / ONNX_INT8)
    write_sample(folder, image_shape, made)
    (folder / "saved_model.pb").write_bytes(b"a saved model")
    (folder / "variables" / "variables.index").write_bytes(b"an index")
    manifest = Manifest(
        model=model,
        image_shape=image_shape,
        labels=labels,
        preprocessing={"normalization": "unit", **(preprocessing or {})},
        dataset={"name": dataset, "version": "1.0.0", "splits": {"test": {"rows": 10, "sha256": "0" * 64}}},
        training={"preset": "linear", "seed": seed},
        gate={"accuracy": 0.97, "rows": 10, **gate},
        precisions={
            "float32": {"file": ONNX, "accuracy": 0.97, "rows": 10},
            "int8": {"file": ONNX_INT8, "accuracy": 0.97, "rows": 10} if int8 else {"left_out": LEFT_OUT},
        },
        versions={"numpy": "2"},
    )
    write_manifest(folder, manifest)
    return load_bundle(folder)


def resized_to(image_shape: tuple[int, int, int] = SHAPE, method: str = METHOD) -> dict[str, Any]:
    """The `preprocessing` of a bundle whose training images were resized to this shape."""
    height, width, _ = image_shape
    return {"resize": {"method": method, "height": height, "width": width}}


def write_sample(folder: Path, image_shape: tuple[int, int, int], model: onnx.ModelProto) -> None:
    """A few images, and the network's probabilities for them as numpy computes them."""
    scale, weights, bias = (numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer)
    images = random_images(5, image_shape)
    logits = images.reshape(len(images), -1) * scale @ weights + bias
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    (folder / "sample").mkdir()
    np.save(folder / SAMPLE_IMAGES, images)
    probabilities = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
    np.save(folder / SAMPLE_PROBABILITIES, probabilities)


def evidence(
    run: str = "0001", accuracy: float = 0.97, test_sha256: str = "0" * 64, weights_sha256: str = "w" * 64
) -> Evidence:
    """The evidence for a small bundle."""
    return Evidence(run, "e" * 64, "f" * 64, accuracy, test_sha256, weights_sha256)


def loaded(promoted: Promoted) -> Bundle:
    """A promoted version's bundle, with every file checked."""
    return load_bundle(promoted.path, promoted.sha256)


def publish(registry: Registry, candidate: Bundle, model: str = "tiny", run: str = "0001", **fields) -> Promoted:
    """Promotes a bundle, as the pipeline does it."""
    with lock_pointer(registry, model) as pointer:
        return pointer.promote(candidate, evidence(run, **fields), "because it is good")


def roll_back(registry: Registry, version: int | None = None, reason: str = "too slow") -> Promoted:
    """Rolls the model `tiny` back, as the pipeline does."""
    with lock_pointer(registry, "tiny") as pointer:
        return pointer.roll_back(version, reason)


def recorded(registry: Registry) -> PromotionEvents:
    """The promotion events in history.jsonl of the model `tiny`."""
    return read_promotion_events(registry.root / "tiny/history.jsonl")


def random_images(rows: int, image_shape: tuple[int, int, int] = SHAPE, seed: int = 5) -> Images:
    """uint8 (rows, h, w, c), 0 to 255."""
    return np.random.default_rng(seed).integers(0, 256, (rows, *image_shape), np.uint8)


def npy(array: np.ndarray) -> bytes:
    """An array as numpy.save writes it."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_with_header(header: str, pixels: bytes = b"") -> bytes:
    """A .npy file, format 1.0, with the given header."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + pixels
