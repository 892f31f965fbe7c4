"""Agreement and Verification: the evidence that the bundle predicts as the trained model does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from components.artifacts.artifact import UNDIGESTED, Artifact, RuleResult
from components.artifacts.npy_writer import write_array
from serving.codec import read, to_json
from serving.files import write_json

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Measured:
    """Time and memory of scoring the test images, in an isolated process from its start.

    Attributes:
        load_seconds: to hash the bundle's files and load the network.
        images_per_second: read, scored and written.
        peak_memory_bytes: the largest resident memory of the process.
    """

    load_seconds: float
    images_per_second: float
    peak_memory_bytes: int


class MeasuredArtifact(Artifact):
    """An artifact that keeps what scoring the bundle took."""

    def measured(self) -> Measured | None:
        """Time and memory of scoring; None if the bundle was not scored."""
        file = self.path / UNDIGESTED
        return read(Measured, file) if file.exists() else None

    def write_measured(self, measured: Measured) -> Self:
        """Writes the time and memory of scoring, which are not digested."""
        write_json(self.path / UNDIGESTED, to_json(measured))
        return self


@dataclass(frozen=True, kw_only=True)
class Agreement(MeasuredArtifact):
    """How closely the files of a bundle score as the trained model does, for all limits of the gate.

    Attributes:
        bundle_sha256: the compared bundle.
        rows: number of compared test images.
        disagreements: rows for which Keras, SavedModel and ONNX predict different classes, each as a sentence.
        max_difference: the largest difference of a probability between any two of the three; None if one of them could
            not be loaded or returned NaN.
        used_fraction: the largest difference from the exact probabilities, as a fraction of what rounding allows; None
            as for `max_difference`.
        rules: the rules for the files of every bundle, each with its arithmetic.
        int8_rules: those for the int8 model; none if the bundle has none.
        precisions: the names of the ONNX models that were scored, `float32` and `int8`.
    """

    FILE = "agreement.json"

    bundle_sha256: str
    rows: int
    disagreements: tuple[str, ...] = ()
    max_difference: float | None = None
    used_fraction: float | None = None
    rules: tuple[RuleResult, ...]
    int8_rules: tuple[RuleResult, ...] = ()
    precisions: tuple[str, ...] = ()

    def classes(self, precision: str) -> npt.NDArray[np.int64]:
        """int64 (rows,): the class that an ONNX model predicts for each test image."""
        import numpy as np

        classes: npt.NDArray[np.int64] = np.load(self.path / f"{precision}.npy", allow_pickle=False)
        return classes

    def with_classes(self, precision: str, classes: npt.NDArray[np.int64]) -> Self:
        """Writes the class that an ONNX model predicts for each test image, int64 (rows,)."""
        write_array(self.path / f"{precision}.npy", classes)
        return replace(self, precisions=(*self.precisions, precision))

    def summary(self) -> str:
        """The arithmetic of every rule."""
        return "; ".join(rule.message for rule in (*self.rules, *self.int8_rules))


@dataclass(frozen=True, kw_only=True)
class Verification(MeasuredArtifact):
    """Attributes:
    bundle_sha256: the verified bundle.
    rows: number of compared test images.
    correct: number of them that the ONNX model predicts correctly; 0 if it could not be loaded.
    disagreements: rows for which Keras, SavedModel and ONNX predict different classes, each as a sentence.
    max_difference: the largest difference of a probability between any two of the three; None if one of them could
        not be loaded or returned NaN.
    used_fraction: the largest difference from the exact probabilities, as a fraction of what rounding allows; None as
        for `max_difference`, and in older runs.
    rules: all rules of the verification, each with its arithmetic.
    """

    FILE = "verification.json"

    bundle_sha256: str
    rows: int
    correct: int
    disagreements: tuple[str, ...]
    max_difference: float | None
    rules: tuple[RuleResult, ...]
    used_fraction: float | None = None

    def summary(self) -> str:
        """The reasons of the verdict, and time and memory of scoring."""
        reasons = "; ".join(self.reasons)
        if (took := self.measured()) is None:
            return reasons
        return (
            f"{reasons}; loads in {took.load_seconds:.2f} s, {took.images_per_second:,.0f} images/s, "
            f"{took.peak_memory_bytes / 1e6:.0f} MB"
        )
