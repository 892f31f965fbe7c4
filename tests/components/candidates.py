"""Candidates for a promotion whose outcome on each test row is chosen: real bundles, scored with onnxruntime."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.promotion import Promotion
from components.artifacts.verification import Verification
from components.promote import promote
from components.run_context import RunContext
from tests.components.examples_by_hand import write_examples
from tests.serving import tiny_bundle
from tests.serving.tiny_bundle import LABELS


@dataclass(frozen=True)
class Candidate:
    """All inputs of promote."""

    bundle: Bundle
    evaluation: Evaluation
    verification: Verification
    examples: Examples

    def promoted(self, out: Path, models: Path, **params) -> Promotion:
        out.mkdir(parents=True)
        known = {field: params.pop(field) for field in ("model", "run", "reason", "manual") if field in params}
        given = {"model": "chosen", "models": models, "run": "0001", "margin": params.pop("known", None), **known}
        context = RunContext(**given)
        given = (self.bundle, self.evaluation, self.verification, self.examples)
        return promote.run(*given, promote.Params(**params), context, out)


class Candidates:
    """Makes candidates: test image i has one bright pixel, at i, so a linear layer can predict any label for it."""

    def __init__(self, folder: Path, evaluation: Evaluation, verification: Verification) -> None:
        self.folder = folder
        self._evaluation, self._verification = evaluation, verification
        self._made = 0

    def _new(self, name: str) -> Path:
        folder = self.folder / f"{self._made}-{name}"
        folder.mkdir(parents=True)
        return folder

    def examples(
        self, rows: int, first: int = 0, class_names: tuple[str, ...] = LABELS, shape: tuple[int, ...] = (1, 500, 1)
    ) -> Examples:
        self._made += 1
        images = np.zeros((rows, 500), np.uint8)
        images[np.arange(rows), first + np.arange(rows)] = 255
        images = images.reshape(rows, *shape)
        labels = (np.arange(rows) % len(LABELS)).astype(np.int64)
        splits = {"train": (images[:1], labels[:1]), "test": (images, labels)}
        return write_examples(self._new("examples"), splits, class_names)

    def candidate(
        self, examples: Examples, wrong: range | list[int], seed: int = 0, weights_sha256: str | None = None
    ) -> Candidate:
        """A candidate that predicts all labels correctly, except the rows in `wrong`; the seed changes its digest."""
        self._made += 1
        labels = examples.all_labels("test")
        predicted = labels.copy()
        predicted[wrong] = (labels[wrong] + 1) % len(LABELS)
        weights = np.zeros((500, len(LABELS)), np.float32)
        places = np.concatenate(list(map(examples.images, examples.blocks["test"])))
        weights[places.reshape(len(labels), -1).argmax(axis=1), predicted] = 5
        digest = hashlib.sha256(weights.tobytes()).hexdigest()
        correct = int((predicted == labels).sum())
        probabilities = np.eye(len(LABELS), dtype=np.float32)[predicted]
        evaluation = replace(
            self._evaluation,
            path=self._new("evaluation"),
            test_sha256=examples.sha256("test"),
            rows=len(labels),
            correct=correct,
            loss=float(seed),
            weights_sha256=weights_sha256 or digest,
        )
        evaluation = evaluation.write_probabilities(probabilities).save()
        sealed = tiny_bundle.seal(
            self._new("bundle"),
            "chosen",
            examples.image_shape,
            dataset="by-hand",
            seed=seed,
            weights=weights,
            labels=examples.class_names,
            evaluation_sha256=evaluation.digest(),
            weights_sha256=digest,
        )
        verification = replace(self._verification, path=self._new("verification"), bundle_sha256=sealed.sha256)
        return Candidate(Bundle.load(sealed.path), evaluation, verification.save(), examples)
