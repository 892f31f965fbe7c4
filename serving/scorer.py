"""Bundle + images -> labels, confidences, probabilities: onnxruntime over the promoted model."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.bundle import ONNX, Bundle
from serving.errors import InputError
from serving.images import Images

BATCH_SIZE = 1024


@dataclass(frozen=True)
class Scores:
    """What the model says of n images.

    Attributes:
        labels: int64 (n,), the most probable class, the lower one of equals.
        probabilities: float32 (n, classes), each row summing to 1.
    """

    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]

    @property
    def confidences(self) -> npt.NDArray[np.float32]:
        """float32 (n,): the probability of each row's label."""
        best: npt.NDArray[np.float32] = self.probabilities.max(axis=1, initial=0.0)
        return best


class Scorer:
    """A loaded model. Calls from several threads are safe: onnxruntime's sessions are."""

    def __init__(self, bundle: Bundle, threads: int | None = None, batch_size: int = BATCH_SIZE) -> None:
        """Loads the bundle's ONNX model.

        Args:
            bundle: from `serving.bundle.load`, so that onnxruntime sees checked bytes only.
            threads: for one matrix product; None takes the processors that this process may use.
            batch_size: images that are given to the model at once.
        """
        # Read when it is imported: it would write an identifier and a database below the user's home.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_processors()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.bundle = bundle
        self._batch_size = batch_size
        self._session = onnxruntime.InferenceSession(bundle.read(ONNX), options, providers=["CPUExecutionProvider"])

    def score(self, images: Images) -> Scores:
        """Scores images of the model's own shape.

        Args:
            images: uint8 (n, h, w, c), 0 to 255.

        Raises:
            InputError: another type or shape; nothing is cast in silence.
        """
        manifest = self.bundle.manifest
        if images.dtype != np.uint8 or images.shape[1:] != manifest.image_shape:
            raise InputError(
                f"images are {images.dtype} {images.shape}, the model takes uint8 (n, "
                f"{', '.join(map(str, manifest.image_shape))}), 0 to 255: convert and reshape them"
            )
        probabilities = np.empty((len(images), len(manifest.labels)), np.float32)
        for start in range(0, len(images), self._batch_size):
            batch = np.ascontiguousarray(images[start : start + self._batch_size])
            (probabilities[start : start + len(batch)],) = self._session.run(["probabilities"], {"images": batch})
        return Scores(probabilities.argmax(axis=1), probabilities)


def usable_processors() -> int:
    """The processors that this process may run on, where the system says so; else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
