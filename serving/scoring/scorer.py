"""Bundle + images -> labels, confidences, probabilities: the model in one of its precisions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from serving.blocks import Images
from serving.bundle.bundle import ONNX, ONNX_INT8, Bundle
from serving.bundle.manifest import MANIFEST, refusal
from serving.errors import BeamlineError, InputError, ModelError
from serving.machine import usable_processors
from serving.parallel import map_in_order
from serving.scoring.network import Network, batch_size_for

Precision = Literal["float32", "int8"]
FILES: dict[Precision, str] = {"float32": ONNX, "int8": ONNX_INT8}
# The exceptions with which onnxruntime refuses a graph. All others, e.g. of memory or threads, are the machine's.
OF_THE_MODEL = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel", "NotImplemented")


@dataclass(frozen=True)
class Scores:
    """The model's predictions for n images.

    Attributes:
        labels: int64 (n,), the most probable class; of classes with equal probability, the lowest.
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
        """Concatenates one or more scores."""
        labels, probabilities = ([getattr(part, name) for part in parts] for name in ("labels", "probabilities"))
        return cls(np.concatenate(labels), np.concatenate(probabilities))

    def top(self, count: int) -> npt.NDArray[np.int64]:
        """int64 (n, count): the most probable classes, the best first; with equal probability, the lowest first."""
        # A stable sort of the negative values keeps equals in the order of their class.
        return np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]


class Scorer:
    """A loaded model. It does not change, so calls from several threads are safe.

    The prediction for an image depends on this image alone, not on the other images or the number of threads.

    A scorer can be copied, pickled, and used in a child process after a fork. onnxruntime's sessions cannot, so each
    copy loads the model from the bundle again, with its digest checked, when it first scores; the bundle's folder must
    still be there.

    Attributes:
        bundle: the loaded bundle: `bundle.manifest.labels` are the class names, `bundle.sha256` is its identity.
        threads, batch_size, precision: those of `__init__`, with the defaults filled in.
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
            bundle: from `serving.bundle.bundle.load_bundle`, so that onnxruntime gets checked bytes only.
            threads: number of threads; None: one for each processor that this process may use.
            batch_size: another size can change the last bits of the probabilities; None takes a size that suits the
                images.
            precision: float32 or int8 arithmetic; int8 is faster. A bundle has no int8 model if that failed the int8
                gate.

        Raises:
            InputError: the bundle has no model of this precision.
            BundleError: the model has another input or other classes than the manifest.
            ModelError: onnxruntime refuses it.
            BeamlineError: onnxruntime fails otherwise.
        """
        if (reason := bundle.manifest.precisions.get(precision, {}).get("left_out")) is not None:
            raise InputError(
                f"--precision {precision}: {bundle.path} has no {precision} model ({reason}): "
                "score with --precision float32"
            )
        self.bundle = bundle
        self.precision = precision
        self.threads = threads or usable_processors()
        self.batch_size = batch_size or batch_size_for(bundle.manifest.image_shape, precision)
        # A copy may load the model after the working folder has changed.
        self._source = replace(bundle, path=bundle.path.absolute())
        self._loaded: tuple[int, Network] | None = None
        self._network()

    def __getstate__(self) -> dict[str, Any]:
        """The scorer without onnxruntime's session, for copies and pickles."""
        return {**vars(self), "_loaded": None}

    def score(self, images: Images) -> Scores:
        """Scores images of the model's input shape; if there are several batches, the threads divide them.

        Args:
            images: uint8 (n, h, w, c), 0 to 255.

        Raises:
            InputError: another dtype or shape; images are never cast.
            ModelError: onnxruntime refuses the model, or a probability is NaN.
            BeamlineError: onnxruntime fails otherwise.
        """
        self._require_fit(images)
        batches = -(-len(images) // self.batch_size)
        # Every thread gets the same number of batches.
        rows = max(1, -(-batches // self.threads)) * self.batch_size
        parts = [images[start : start + rows] for start in range(0, max(1, len(images)), rows)]
        return Scores.joined(list(map_in_order(self.score_here, parts, self.threads)))

    def score_here(self, images: Images) -> Scores:
        """As `score`, on the calling thread: for callers with threads of their own."""
        self._require_fit(images)
        network = self._network()
        with self._naming_the_bundle():
            probabilities = network.probabilities(images, self.batch_size)
        scores = Scores(probabilities.argmax(axis=1), probabilities)
        # argmax takes NaN for the largest value, so a row with NaN has a confidence of NaN.
        if (invalid := int(np.isnan(scores.confidences).sum())) > 0:
            raise ModelError(
                f"{self.bundle.path}: the model returned NaN for {invalid:,} of {len(images):,} images: "
                "score with another version, or train again and promote that model"
            )
        return scores

    def _network(self) -> Network:
        """The network of this process. Two threads may both load it; either one gives the same probabilities."""
        loaded = self._loaded
        if loaded is None or loaded[0] != os.getpid():
            content = self._source.read(FILES[self.precision])
            with self._naming_the_bundle():
                network = Network(content)
            self._require_as_described(network)
            self._loaded = loaded = os.getpid(), network
        return loaded[1]

    def _require_as_described(self, network: Network) -> None:
        manifest, name = self.bundle.manifest, FILES[self.precision]
        for what, found, described in (
            ("images of the shape", network.image_shape, manifest.image_shape),
            ("classes:", network.classes, len(manifest.labels)),
        ):
            if found != described:
                problem = f"{name} has {what} {found}, {MANIFEST} describes {described}"
                raise refusal(self.bundle.path, f"{problem}: promote the model again")

    def _require_fit(self, images: Images) -> None:
        image_shape = self.bundle.manifest.image_shape
        if images.dtype != np.uint8 or images.shape[1:] != image_shape:
            raise InputError(
                f"images are {images.dtype} {images.shape}, the model takes uint8 (n, "
                f"{', '.join(map(str, image_shape))}), 0 to 255: convert and reshape them"
            )

    @contextmanager
    def _naming_the_bundle(self) -> Iterator[None]:
        """Adds the bundle to the errors of onnxruntime; a failure of the machine tells nothing about the bundle."""
        try:
            yield
        except Exception as error:
            # Imported here: it would take a part of the time to score a small file.
            from serving.faults.fault import fault_of

            if fault_of(error) is not None:
                raise
            # onnxruntime has a dozen exceptions without a common base class.
            kind = ModelError if type(error).__name__ in OF_THE_MODEL else BeamlineError
            raise kind(
                f"{self.bundle.path}: onnxruntime cannot load or run the model ({error}): score with another version, "
                "or with the onnxruntime of requirements.lock"
            ) from error
