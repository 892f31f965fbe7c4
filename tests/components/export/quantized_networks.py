"""Networks of all kinds, with the operations that onnxruntime runs for their int8 models."""

from __future__ import annotations

import numpy as np

# By name: image shape, layers, and onnxruntime's operations in order, except Transpose.
FLAT = ["Reshape", "QGemm"]


NETWORKS = {
    "linear": ((9, 7, 1), {}, [*FLAT, "Softmax"]),
    "mlp": ((9, 7, 1), {"hidden": (24, 16)}, [*FLAT, "QGemm", "QGemm", "Softmax"]),
    "sigmoid": (
        (9, 7, 3),
        {"hidden": (24,), "output_activation": "sigmoid"},
        [*FLAT, "QGemm", "Sigmoid", "ReduceSum", "Div"],
    ),
    "tanh": (
        (9, 7, 1),
        {"hidden": (24,), "hidden_activation": "tanh"},
        [*FLAT, "Tanh", "QuantizeLinear", "QGemm", "Softmax"],
    ),
    "cnn": (
        (9, 7, 1),
        {"convolutions": (4, 6), "hidden": (24,)},
        ["Reshape", "QLinearConv", "MaxPool", "QLinearConv", "MaxPool", *FLAT, "QGemm", "Softmax"],
    ),
    "cnn in colour": (
        (9, 7, 3),
        {"convolutions": (4, 6)},
        ["QLinearConv", "MaxPool", "QLinearConv", "MaxPool", *FLAT, "Softmax"],
    ),
    "cnn with tanh": (
        (9, 7, 3),
        {"convolutions": (4, 6), "hidden_activation": "tanh"},
        [*["QLinearConv", "DequantizeLinear", "Tanh", "QuantizeLinear", "MaxPool"] * 2, *FLAT, "Softmax"],
    ),
}


def random_images(rows, shape, seed=3):
    return np.random.default_rng(seed).integers(0, 256, (rows, *shape)).astype(np.uint8)


def bytes_of(model):
    return model.SerializeToString(deterministic=True)
