"""Source + Scorer -> predictions of every image, block by block: read, scored, counted, encoded by several threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from serving.drift import Baseline, Counts, Drift, sampled_rows
from serving.errors import InputError
from serving.formats.format import Format, Predictions
from serving.inputs.blocks import Images, Source, Unreadable
from serving.network import runtime
from serving.output import Output
from serving.parallel import in_order
from serving.scorer import Scorer, Scores
from serving.tally import Tally
from serving.traits import Integers

if TYPE_CHECKING:
    from serving.labels import Labels


@dataclass(frozen=True)
class Scored:
    """A block that is done.

    Attributes:
        stop: the index of the first image after it.
        content: its predictions, as they stand in the output.
        tally: what was counted in it.
    """

    stop: int
    content: bytes
    tally: Tally


@dataclass(frozen=True)
class Done:
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
            "block_rows": self.scorer.block_rows,
            "onnxruntime": runtime().__version__,
            "format": type(self.format).__name__,
            "probabilities": columns.probabilities,
            "top": columns.top,
            "named": columns.named,
            "rows": self.source.rows,
            "skip_bad": self.skip_bad,
        }

    def run(self, output: Output, resume: bool, advance: Callable[[int], object]) -> Done:
        """Scores all images into the output, which is then ready to be committed.

        Args:
            output: of this job's key.
            resume: whether to go on with what an earlier process left there.
            advance: is told the number of images of each block that is done.

        Raises:
            InputError: an image or label that cannot be read or does not fit, input that changed, or a full disk.
            BeamlineError: onnxruntime cannot run the model.
        """
        entries = output.resume() if resume else []
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
        return in_order(self._scored, range(start, self.source.rows, self.scorer.block_rows), self.scorer.threads)

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
        stop = min(start + self.scorer.block_rows, self.source.rows)
        sampled = sampled_rows(stop - start)
        scores, sample, bad = self._read_and_score(start, stop, sampled)
        readable = np.ones(stop - start, np.bool_)
        readable[[row - start for row, _ in bad]] = False
        files = self.source.names(start, stop) if self.source.named else None
        content = self.format.encode(Predictions(start, scores, files, readable))
        tally = Tally(
            self._drift(scores, sampled, sample, readable), self._confusion(start, scores, readable), tuple(bad)
        )
        return Scored(stop, content, tally)

    def _read_and_score(self, start: int, stop: int, sampled: Integers) -> tuple[Scores, Images, list[Unreadable]]:
        """The scores of a block's images, those of its images that are looked at, and what could not be read.

        A batch is read when it is its turn: so it is in the processor's cache when it is scored, and in memory alone.
        """
        memory = self._memory()
        scored: list[Scores] = []
        sample: list[Images] = []
        bad: list[Unreadable] = []
        for first in range(start, stop, len(memory)):
            images = memory[: stop - first]
            bad += self.source.fill(images, first)
            scored.append(self.scorer.score_here(images))
            inside = np.searchsorted(sampled, [first - start, first - start + len(images)])
            sample.append(images[sampled[slice(*inside)] - (first - start)])
        return Scores.joined(scored), np.concatenate(sample), bad

    def _memory(self) -> Images:
        """uint8 (batch_size, h, w, c), of this thread alone."""
        if not hasattr(self._here, "images"):
            shape = (self.scorer.batch_size, *self.scorer.bundle.manifest.image_shape)
            self._here.images = np.empty(shape, np.uint8)
        images: Images = self._here.images
        return images

    def _drift(
        self, scores: Scores, sampled: Integers, sample: Images, readable: npt.NDArray[np.bool_]
    ) -> Counts | None:
        if self.baseline is None:
            return None
        seen = readable[sampled]
        looked_at = scores.of(sampled[seen])
        return self.baseline.count(sample[seen], looked_at.labels, looked_at.confidences)

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
