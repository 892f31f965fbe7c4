"""ONNX bytes + images -> probabilities: onnxruntime on the processors of this process."""

from __future__ import annotations

import os
from types import ModuleType

import numpy as np
import numpy.typing as npt

from serving.images import Images

BATCH_SIZE = 1024


class Network:
    """A loaded network. Calls from several threads are safe: onnxruntime's sessions are."""

    def __init__(self, onnx: bytes, threads: int | None = None) -> None:
        """Loads a network that takes `images` and gives `probabilities`.

        Args:
            onnx: the model, as `components.export` writes it.
            threads: for one matrix product; None takes the processors that this process may use.
        """
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_processors()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._classes = int(self._session.get_outputs()[0].shape[1])

    def probabilities(self, images: Images, batch_size: int = BATCH_SIZE) -> npt.NDArray[np.float32]:
        """What the network says of each image.

        Args:
            images: uint8 (n, h, w, c), 0 to 255, of the network's own shape.
            batch_size: images that are given to it at once.

        Returns:
            float32 (n, classes), each row summing to 1.
        """
        probabilities = np.empty((len(images), self._classes), np.float32)
        for start in range(0, len(images), batch_size):
            batch = np.ascontiguousarray(images[start : start + batch_size])
            (probabilities[start : start + len(batch)],) = self._session.run(["probabilities"], {"images": batch})
        return probabilities


def runtime() -> ModuleType:
    """The module onnxruntime, imported so that it keeps to itself."""
    # Read when it is imported: it would write an identifier and a database below the user's home.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    module: ModuleType = onnxruntime
    return module


def usable_processors() -> int:
    """The processors that this process may run on, where the system says so; else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
