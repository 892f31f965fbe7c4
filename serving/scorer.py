"""Bundle + images -> labels, confidences, probabilities: the promoted model in one of its precisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from serving.bundle import ONNX, ONNX_INT8, Bundle
from serving.errors import BeamlineError, InputError
from serving.inputs.blocks import Images
from serving.network import Network, batch_size_for
from serving.parallel import in_order
from serving.processors import usable_processors
from serving.registry import Registry
from serving.selection import promoted_bundle

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
        best: npt.NDArray[np.float32] = self.probabilities[np.arange(len(self.labels)), self.labels]
        return best

    @classmethod
    def joined(cls, parts: Sequence[Scores]) -> Self:
        """Those of several, one or more, one after the other."""
        labels, probabilities = ([getattr(part, name) for part in parts] for name in ("labels", "probabilities"))
        return cls(np.concatenate(labels), np.concatenate(probabilities))

    def top(self, count: int) -> npt.NDArray[np.int64]:
        """int64 (n, count): the most probable classes, the best first, the lower one of equals first."""
        # The negative keeps equals in the order of their class.
        return np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]


class Scorer:
    """A loaded model. Calls from several threads are safe: it changes nothing of itself.

    What it says of an image depends on the image alone: neither on those beside it nor on the threads.

    Attributes:
        bundle: what it was loaded from: `bundle.manifest.labels` are the class names, `bundle.sha256` names it.
        threads: that a call of `score` has at work.
        batch_size: images that the model is given at once.
        precision: of the arithmetic.
    """

    def __init__(
        self,
        bundle: Bundle,
        threads: int | None = None,
        batch_size: int | None = None,
        precision: Precision = "float32",
    ) -> None:
        """Loads one of the bundle's ONNX models.

        Args:
            bundle: from `serving.bundle.load`, so that onnxruntime sees checked bytes only.
            threads: None takes the processors that this process may use.
            batch_size: another one may change the last bits of the probabilities; None takes what suits the images'
                size.
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
        self.precision = precision
        self.threads = threads or usable_processors()
        self.batch_size = batch_size or batch_size_for(bundle.manifest.image_shape)
        content = bundle.read(FILES[precision])
        with self._told():
            self._network = Network(content)

    @classmethod
    def promoted(
        cls,
        model: str | Path,
        threads: int | None = None,
        batch_size: int | None = None,
        precision: Precision = "float32",
    ) -> Self:
        """Loads the version of a model that serves now; a later promotion does not change what was loaded.

        Args:
            model: the model's folder in the registry, `models/mnist`.
            threads: as for the class itself.
            batch_size: likewise.
            precision: likewise.

        Raises:
            InputError: nothing is promoted there.
            BundleError: the bundle is not what was promoted.
        """
        folder = Path(model)
        bundle, _ = promoted_bundle(Registry(folder.parent), folder.name)
        return cls(bundle, threads, batch_size, precision)

    def score(self, images: Images) -> Scores:
        """Scores images of the model's own shape, by several threads where they are many.

        Args:
            images: uint8 (n, h, w, c), 0 to 255.

        Raises:
            InputError: another type or shape; nothing is cast in silence.
            BeamlineError: onnxruntime cannot run the model.
        """
        self._require_fit(images)
        batches = -(-len(images) // self.batch_size)
        # Every thread has as many batches as any other.
        rows = max(1, -(-batches // self.threads)) * self.batch_size
        parts = [images[start : start + rows] for start in range(0, max(1, len(images)), rows)]
        return Scores.joined(list(in_order(self.score_here, parts, self.threads)))

    def score_here(self, images: Images) -> Scores:
        """As `score`, on the thread that calls it: for callers who have several of their own."""
        self._require_fit(images)
        with self._told():
            probabilities = self._network.probabilities(images, self.batch_size)
        return self._scores(probabilities)

    def _require_fit(self, images: Images) -> None:
        image_shape = self.bundle.manifest.image_shape
        if images.dtype != np.uint8 or images.shape[1:] != image_shape:
            raise InputError(
                f"images are {images.dtype} {images.shape}, the model takes uint8 (n, "
                f"{', '.join(map(str, image_shape))}), 0 to 255: convert and reshape them"
            )

    def _scores(self, probabilities: npt.NDArray[np.float32]) -> Scores:
        scores = Scores(probabilities.argmax(axis=1), probabilities)
        # The most probable of several classes is, to numpy, the one that is no number.
        if np.isnan(scores.confidences).any():
            raise BeamlineError(f"{self.bundle.path}: its answer to an image is no number: promote the model again")
        return scores

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Names the bundle in what onnxruntime says."""
        try:
            yield
        except Exception as error:
            # It has an exception of its own for each of a dozen kinds of trouble, and no common one.
            raise BeamlineError(f"{self.bundle.path}: onnxruntime cannot score it: {error}") from error
