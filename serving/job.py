"""Source + Scorer -> predictions of every image, block by block: read, scored, counted, encoded by several threads."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.drift import Baseline, Counts, Drift, sampled_rows
from serving.errors import InputError
from serving.formats.format import Format, Predictions
from serving.inputs.blocks import Images, Source
from serving.journal import Entry
from serving.network import runtime
from serving.output import Output
from serving.parallel import in_order
from serving.scorer import Scorer, Scores
from serving.tally import Tally

if TYPE_CHECKING:
    from serving.labels import Labels

# What a thread takes at once: so much that to hand it out, read it and count it costs little, and yet several threads
# have work where the images are few.
FEWEST_BLOCKS = 16
MIN_BLOCK_BATCHES = 10
MAX_BLOCK_ROWS = 1 << 14
MAX_BLOCK_BYTES = 8 << 20


class Scored(NamedTuple):
    """A block that is done.

    Attributes:
        stop: the index of the first image after it.
        content: its predictions, as they stand in the output.
        tally: what was counted in it.
    """

    stop: int
    content: bytes
    tally: Tally


class Done(NamedTuple):
    """All blocks together.

    Attributes:
        tally: what was counted.
        resumed_rows: images that an earlier process had scored.
    """

    tally: Tally
    resumed_rows: int


@dataclass(frozen=True)
class Job:
    """What is scored, with what, and how it is written down.

    Attributes:
        source: the images.
        scorer: the model.
        format: of the predictions.
        labels: the true ones, where they are known.
        baseline: what the images are held against, where the bundle has one.
        skip_bad: whether images that cannot be read are left out.
    """

    source: Source
    scorer: Scorer
    format: Format
    labels: Labels | None
    baseline: Baseline | None
    skip_bad: bool
    _here: threading.local = field(default_factory=threading.local, init=False, repr=False)

    @cached_property
    def block_rows(self) -> int:
        """Images of each block but the last, whole batches; the same for the same input and batches everywhere."""
        batch_size, image_bytes = self.scorer.batch_size, math.prod(self.scorer.bundle.manifest.image_shape)
        wanted = max(MIN_BLOCK_BATCHES, -(-self.source.rows // (FEWEST_BLOCKS * batch_size)))
        most = min(MAX_BLOCK_ROWS, MAX_BLOCK_BYTES // image_bytes) // batch_size
        return max(1, min(wanted, most)) * batch_size

    def key(self) -> dict[str, Any]:
        """All that the predictions depend on."""
        columns = self.format.columns
        return {
            "journal": 1,
            "input_sha256": self.source.sha256,
            "labels_sha256": None if self.labels is None else self.labels.sha256,
            "bundle_sha256": self.scorer.bundle.sha256,
            "precision": self.scorer.precision,
            "batch_size": self.scorer.batch_size,
            "block_rows": self.block_rows,
            "onnxruntime": runtime().__version__,
            "format": type(self.format).__name__,
            "probabilities": columns.probabilities,
            "top": columns.top,
            "named": columns.named,
            "rows": self.source.rows,
            "skip_bad": self.skip_bad,
        }

    def run(self, output: Output, entries: Sequence[Entry], advance: Callable[[int], object]) -> Done:
        """Scores all images into the output, which is then ready to be committed.

        Args:
            output: of this job's key.
            entries: what `output.resume` says that an earlier process left there; none begins anew.
            advance: is told the number of images of each block that is done.

        Raises:
            InputError: an image or label that cannot be read or does not fit, input that changed, or a full disk.
            BeamlineError: onnxruntime cannot run the model.
        """
        total = sum((Tally.from_json(entry.tally) for entry in entries), self._nothing())
        resumed = stop = entries[-1].stop if entries else 0
        if not entries:
            output.begin(self.format.header(self.source.rows))
        advance(resumed)
        for scored in self._blocks(resumed):
            output.write(scored.content, scored.stop, scored.tally.to_json())
            total += scored.tally
            advance(scored.stop - stop)
            stop = scored.stop
        self.source.require_unchanged()
        if self.labels is not None:
            self.labels.require_unchanged()
        return Done(total, resumed)

    def _blocks(self, start: int) -> Iterator[Scored]:
        """What begins at `start`, the boundary of a block, scored, in order."""
        return in_order(self._scored, range(start, self.source.rows, self.block_rows), self.scorer.threads)

    def drift(self, done: Done) -> Drift | None:
        """How far the images are from those that the model was trained on; None where its bundle cannot say."""
        if self.baseline is None or done.tally.drift is None:
            return None
        return self.baseline.compare(done.tally.drift)

    def _nothing(self) -> Tally:
        return Tally(
            drift=None if self.baseline is None else self.baseline.empty(),
            confusion=None if self.labels is None else Counter(),
            unreadable=(),
        )

    def _scored(self, start: int) -> Scored:
        stop = min(start + self.block_rows, self.source.rows)
        images = self._memory()[: stop - start]
        bad = self.source.fill(images, start)
        readable = np.ones(stop - start, np.bool_)
        readable[[row - start for row, _ in bad]] = False
        scores = self.scorer.score_here(images)
        files = self.source.names(start, stop) if self.source.named else None
        content = self.format.encode(Predictions(start, scores, files, readable))
        tally = Tally(self._drift(images, scores, readable), self._confusion(start, scores, readable), tuple(bad))
        return Scored(stop, content, tally)

    def _memory(self) -> Images:
        """uint8 (block_rows, h, w, c), of this thread alone: new memory for each block costs as much as to read it."""
        if not hasattr(self._here, "images"):
            rows = min(self.block_rows, self.source.rows)
            self._here.images = np.empty((rows, *self.scorer.bundle.manifest.image_shape), np.uint8)
        images: Images = self._here.images
        return images

    def _drift(self, images: Images, scores: Scores, readable: npt.NDArray[np.bool_]) -> Counts | None:
        if self.baseline is None:
            return None
        rows = sampled_rows(len(images))
        rows = rows[readable[rows]]
        return self.baseline.count(images[rows], scores.labels[rows], scores.confidences[rows])

    def _confusion(
        self, start: int, scores: Scores, readable: npt.NDArray[np.bool_]
    ) -> Counter[tuple[int, int]] | None:
        if self.labels is None:
            return None
        labels = self._require_labels(self.labels.read(start, start + len(readable)), start)
        return Counter(zip(labels[readable].tolist(), scores.labels[readable].tolist(), strict=True))

    def _require_labels(self, labels: npt.NDArray[np.int64], start: int) -> npt.NDArray[np.int64]:
        classes = len(self.scorer.bundle.manifest.labels)
        wrong = np.flatnonzero((labels < 0) | (labels >= classes))
        if len(wrong):
            raise InputError(
                f"--labels: row {start + wrong[0]:,} is {labels[wrong[0]]}, the model has the labels 0 to "
                f"{classes - 1}: give the labels that it was trained with"
            )
        return labels
