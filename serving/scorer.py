"""Bundle + images -> labels, confidences, probabilities: the promoted model in one of its precisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from serving.bundle import ONNX, ONNX_INT8, Bundle
from serving.errors import BeamlineError, InputError
from serving.images import Images
from serving.network import BATCH_SIZE, Network

Precision = Literal["float32", "int8"]
FILES: dict[Precision, str] = {"float32": ONNX, "int8": ONNX_INT8}


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
    """A loaded model. Calls from several threads are safe: the network's are."""

    def __init__(
        self,
        bundle: Bundle,
        threads: int | None = None,
        batch_size: int = BATCH_SIZE,
        precision: Precision = "float32",
    ) -> None:
        """Loads one of the bundle's ONNX models.

        Args:
            bundle: from `serving.bundle.load`, so that onnxruntime sees checked bytes only.
            threads: for one matrix product; None takes the processors that this process may use.
            batch_size: images that are given to the model at once.
            precision: of the arithmetic; int8 is faster, and a bundle in which it lost comes without it.

        Raises:
            InputError: the bundle has no model of this precision.
            BeamlineError: onnxruntime cannot load it.
        """
        if (why := bundle.manifest.precisions.get(precision, {}).get("left_out")) is not None:
            raise InputError(
                f"--precision {precision}: {bundle.path} comes without it ({why}): score with --precision float32"
            )
        self.bundle = bundle
        self._batch_size = batch_size
        content = bundle.read(FILES[precision])
        with self._told():
            self._network = Network(content, threads)

    def score(self, images: Images) -> Scores:
        """Scores images of the model's own shape.

        Args:
            images: uint8 (n, h, w, c), 0 to 255.

        Raises:
            InputError: another type or shape; nothing is cast in silence.
            BeamlineError: onnxruntime cannot run the model.
        """
        manifest = self.bundle.manifest
        if images.dtype != np.uint8 or images.shape[1:] != manifest.image_shape:
            raise InputError(
                f"images are {images.dtype} {images.shape}, the model takes uint8 (n, "
                f"{', '.join(map(str, manifest.image_shape))}), 0 to 255: convert and reshape them"
            )
        with self._told():
            probabilities = self._network.probabilities(images, self._batch_size)
        return Scores(probabilities.argmax(axis=1), probabilities)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Names the bundle in what onnxruntime says."""
        try:
            yield
        except Exception as error:
            # It has an exception of its own for each of a dozen kinds of trouble, and no common one.
            raise BeamlineError(f"{self.bundle.path}: onnxruntime cannot score it: {error}") from error
