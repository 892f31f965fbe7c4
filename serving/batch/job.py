"""Source + Scorer -> the predictions of all images, block by block: several threads read, score, count and encode."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.batch.counts import BatchCounts, Confusion
from serving.batch.formats.format import Format, Predictions
from serving.batch.journal import Entry
from serving.batch.output import Output
from serving.blocks import Images, OtherSizes, Source, Unreadable
from serving.drift.drift import Baseline, DriftCounts, sampled_rows
from serving.drift.verdict import Drift
from serving.errors import InputError
from serving.parallel import map_in_order
from serving.scoring.network import runtime
from serving.scoring.scorer import Scorer, Scores

if TYPE_CHECKING:
    from serving.batch.labels import Labels

# The size of a block: large enough for a small overhead, small enough that a few images keep several threads busy.
FEWEST_BLOCKS = 16
MIN_BLOCK_BATCHES = 10
# Decoding takes longer than scoring, so that the last block of pictures would leave the other threads idle for long.
FEWEST_PICTURE_BLOCKS = 64
MIN_PICTURE_BLOCK_BATCHES = 1
MAX_BLOCK_ROWS = 1 << 14
MAX_BLOCK_BYTES = 8 << 20


class ScoredBlock(NamedTuple):
    """A block's predictions as bytes of the output, and the index of the first image after the block."""

    stop: int
    content: bytes
    counts: BatchCounts


class BatchResult(NamedTuple):
    """The result of all blocks together.

    Attributes:
        resumed_rows: number of images that an earlier process scored.
        unreadable: the skipped images: the index in the whole input, and the reason.
        drift: how far the images differ from the training images; None if the bundle has no baseline.
        accuracy: the result of `accuracy.accuracy`; None if the true labels are not known.
    """

    resumed_rows: int
    unreadable: tuple[Unreadable, ...]
    drift: Drift | None
    accuracy: dict[str, Any] | None


@dataclass(frozen=True)
class BatchJob:
    """The images to score, the model, and the format of the predictions.

    Attributes:
        labels: the true labels; None if they are not known.
        baseline: the images are compared with it; None if the bundle has none.
        skip_bad: whether an unreadable image is skipped; otherwise it is an error.
    """

    source: Source
    scorer: Scorer
    format: Format
    labels: Labels | None
    baseline: Baseline | None
    skip_bad: bool
    _thread: threading.local = field(default_factory=threading.local, init=False, repr=False)

    @cached_property
    def block_rows(self) -> int:
        """Number of images in each block except the last: a multiple of the batch size, independent of the machine."""
        batch_size, image_bytes = self.scorer.batch_size, math.prod(self.scorer.bundle.manifest.image_shape)
        blocks, batches = FEWEST_BLOCKS, MIN_BLOCK_BATCHES
        if self.source.named:
            blocks, batches = FEWEST_PICTURE_BLOCKS, MIN_PICTURE_BLOCK_BATCHES
        wanted = max(batches, -(-self.source.rows // (blocks * batch_size)))
        most = min(MAX_BLOCK_ROWS, MAX_BLOCK_BYTES // image_bytes) // batch_size
        return max(1, min(wanted, most)) * batch_size

    @property
    def resize_method(self) -> str | None:
        """How images of another size than the model's are resized; None if they are refused."""
        resized = self.source.other_sizes is OtherSizes.RESIZED
        return self.scorer.bundle.manifest.resize_method if resized else None

    def dependencies(self) -> dict[str, Any]:
        """Everything that the predictions depend on."""
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
            "resize": self.resize_method,
        }

    def run(self, output: Output, entries: Sequence[Entry], advance: Callable[[int], object]) -> BatchResult:
        """Scores all images and writes their predictions to the output; the caller commits it.

        Args:
            output: opened with this job's dependencies.
            entries: the result of `output.resume`; if empty, scoring starts from the first image.
            advance: called with the number of images of each finished block.

        Raises:
            InputError: an image or label is unreadable or does not fit, an input changed, or the disk is full.
            BeamlineError: onnxruntime cannot run the model.
        """
        total = sum((BatchCounts.from_json(entry.counts) for entry in entries), self._no_counts())
        resumed = stop = entries[-1].stop if entries else 0
        if not entries:
            output.begin(self.format.header(self.source.rows))
        advance(resumed)
        starts = range(resumed, self.source.rows, self.block_rows)
        for block in map_in_order(self._score_block, starts, self.scorer.threads):
            output.write(block.content, block.stop, block.counts.to_json())
            total += block.counts
            advance(block.stop - stop)
            stop = block.stop
        self.source.require_unchanged()
        if self.labels is not None:
            self.labels.require_unchanged()
        drift = None if self.baseline is None or total.drift is None else self.baseline.compare(total.drift)
        return BatchResult(resumed, total.unreadable, drift, self._accuracy(total.confusion))

    def _no_counts(self) -> BatchCounts:
        return BatchCounts(
            drift=None if self.baseline is None else self.baseline.empty(),
            confusion=None if self.labels is None else Counter(),
            unreadable=(),
        )

    def _score_block(self, start: int) -> ScoredBlock:
        stop = min(start + self.block_rows, self.source.rows)
        images = self._buffer()[: stop - start]
        unreadable = self.source.fill(images, start)
        readable = np.ones(stop - start, np.bool_)
        readable[[row - start for row, _ in unreadable]] = False
        scores = self.scorer.score_here(images)
        files = self.source.names(start, stop) if self.source.named else None
        content = self.format.encode(Predictions(start, scores, files, readable))
        drift, confusion = self._drift(images, scores, readable), self._confusion(start, scores, readable)
        return ScoredBlock(stop, content, BatchCounts(drift, confusion, tuple(unreadable)))

    def _buffer(self) -> Images:
        """This thread's array for the images of a block: uint8 (block_rows, h, w, c).

        It is used again for each block: to create a new array takes as long as to read the images.
        """
        if not hasattr(self._thread, "images"):
            rows = min(self.block_rows, self.source.rows)
            self._thread.images = np.empty((rows, *self.scorer.bundle.manifest.image_shape), np.uint8)
        images: Images = self._thread.images
        return images

    def _drift(self, images: Images, scores: Scores, readable: npt.NDArray[np.bool_]) -> DriftCounts | None:
        if self.baseline is None:
            return None
        rows = sampled_rows(len(images), -(-self.source.rows // self.block_rows))
        rows = rows[readable[rows]]
        return self.baseline.count(images[rows], scores.labels[rows], scores.confidences[rows])

    def _confusion(self, start: int, scores: Scores, readable: npt.NDArray[np.bool_]) -> Confusion | None:
        if self.labels is None:
            return None
        labels = self.labels.read(start, start + len(readable))
        classes = len(self.scorer.bundle.manifest.labels)
        wrong = np.flatnonzero((labels < 0) | (labels >= classes))
        if len(wrong):
            from serving.batch.accuracy import numbers_note

            note = numbers_note(self.scorer.bundle.manifest.labels)
            raise InputError(
                f"--labels: row {start + wrong[0]:,} is {labels[wrong[0]]}, the model has the labels 0 to "
                f"{classes - 1}{f' ({note})' if note else ''}: give the labels that the model was trained with"
            )
        return Counter(zip(labels[readable].tolist(), scores.labels[readable].tolist(), strict=True))

    def _accuracy(self, confusion: Confusion | None) -> dict[str, Any] | None:
        if confusion is None:
            return None
        from serving.batch.accuracy import accuracy

        return accuracy(confusion, len(self.scorer.bundle.manifest.labels))
