"""A small sealed bundle, made without TensorFlow: one layer and a softmax over the pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from components.quantization import quantize
from serving import bundle
from serving.bundle import Bundle, Manifest
from serving.images import Images

SHAPE = (4, 3, 2)
LABELS = ("plain", "comma, inside", 'quote "inside"', "snow 雪")
LEFT_OUT = "9 test rows that float32 gets right are wrong, 0 the other way round, p 0.00098 < 0.05"


def network(image_shape: tuple[int, int, int], classes: int, seed: int) -> onnx.ModelProto:
    """`images` uint8 (n, h, w, c) -> `probabilities` float32 (n, classes), its weights drawn from the seed."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(int(np.prod(image_shape)), classes)).astype(np.float32)
    # Every class then is the most probable one of some random images.
    weights -= weights.mean(axis=0)
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
    int8: bool = False,
) -> Bundle:
    """Makes a bundle in a new folder and loads it; another seed makes another digest."""
    (folder / "variables").mkdir(parents=True)
    onnx_model = network(image_shape, len(LABELS), seed)
    onnx.save(onnx_model, folder / bundle.ONNX)
    if int8:
        onnx.save(quantize(onnx_model, random_images(100, image_shape)), folder / bundle.ONNX_INT8)
    (folder / "saved_model.pb").write_bytes(b"a saved model")
    (folder / "variables" / "variables.index").write_bytes(b"an index")
    manifest = Manifest(
        model=model,
        image_shape=image_shape,
        labels=LABELS,
        preprocessing={"normalization": "unit"},
        dataset={"name": dataset, "version": "1.0.0", "splits": {"test": {"rows": 10, "sha256": "0" * 64}}},
        training={"preset": "linear", "seed": seed},
        gate={"accuracy": 0.97, "rows": 10},
        precisions={
            "float32": {"file": bundle.ONNX, "accuracy": 0.97, "rows": 10},
            "int8": {"file": bundle.ONNX_INT8, "accuracy": 0.97, "rows": 10} if int8 else {"left_out": LEFT_OUT},
        },
        versions={"numpy": "2"},
    )
    bundle.write_manifest(folder, manifest)
    return bundle.load(folder)


def random_images(rows: int, image_shape: tuple[int, int, int] = SHAPE, seed: int = 5) -> Images:
    """uint8 (rows, h, w, c), 0 to 255."""
    return np.random.default_rng(seed).integers(0, 256, (rows, *image_shape), np.uint8)


def npy(array: np.ndarray) -> bytes:
    """An array as numpy.save writes it."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_with_header(header: str, pixels: bytes = b"") -> bytes:
    """A .npy file, format 1.0, whose header is what is given."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + pixels
