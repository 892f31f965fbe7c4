"""ONNX bytes + images -> probabilities: onnxruntime, one thread per call, batches of one size."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.blocks import Images

# The largest batch, in images by precision and in bytes: activations stay in the processor's caches, and memory stays
# small for large images. Those of int8 take a quarter of the space.
MAX_BATCH_SIZE = 256
MAX_BATCH_SIZES = {"float32": MAX_BATCH_SIZE, "int8": 4 * MAX_BATCH_SIZE}
MAX_BATCH_BYTES = 1 << 20


class Network:
    """A loaded network. Calls from several threads are safe; each runs on the calling thread.

    Attributes:
        image_shape: (height, width, channels) of its input.
        classes: the number of probabilities of an image.
    """

    def __init__(self, onnx: bytes) -> None:
        """Loads a model as `components.export` writes it: with the input `images` and the output `probabilities`."""
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        # Several batches at once on one thread each are faster than one batch on several threads: no layer waits for
        # all of its parts. And the last bits of the probabilities do not depend on the number of threads.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        # By onnx.proto, a size that is not fixed is a name or None.
        self.image_shape: tuple[Any, ...] = tuple(self._session.get_inputs()[0].shape[1:])
        self.classes: Any = self._session.get_outputs()[0].shape[1]

    def probabilities(self, images: Images, batch_size: int | None = None) -> npt.NDArray[np.float32]:
        """The probabilities of each image, independent of the other images.

        Every batch has the same size, the last one padded with black images: onnxruntime selects kernels by the size,
        and other kernels can change the last bits.

        Args:
            images: uint8 (n, h, w, c), 0 to 255, of the network's own shape.
            batch_size: images per call of the session; None takes a size that suits the images.

        Returns: float32 (n, classes), each row summing to 1.
        """
        size = batch_size or batch_size_for(images.shape[1:])
        probabilities = np.empty((len(images), self.classes), np.float32)
        for start in range(0, len(images), size):
            batch = np.ascontiguousarray(images[start : start + size])
            rows = len(batch)
            if rows < size:
                batch = np.concatenate([batch, np.zeros((size - rows, *batch.shape[1:]), np.uint8)])
            (found,) = self._session.run(["probabilities"], {"images": batch})
            probabilities[start : start + rows] = found[:rows]
        return probabilities


def batch_size_for(image_shape: tuple[int, ...], precision: str = "float32") -> int:
    """The default number of images in a batch for the shape (height, width, channels)."""
    image_bytes = int(np.prod(image_shape, dtype=np.int64))
    return max(1, min(MAX_BATCH_SIZES[precision], MAX_BATCH_BYTES // max(1, image_bytes)))


def runtime() -> ModuleType:
    """The module onnxruntime, imported with its telemetry off."""
    # onnxruntime reads this at import; otherwise it writes an identifier and a database below the user's home.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    module: ModuleType = onnxruntime
    return module
