"""Model: the trained weights as .npy files with a JSON architecture, and the history of the training."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from components.artifacts.artifact import UNDIGESTED, Artifact
from components.artifacts.npy_writer import write_array
from serving.files import write_json

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

ARCHITECTURE = "architecture.json"


@dataclass(frozen=True, kw_only=True)
class Model(Artifact):
    """Attributes:
    recipe: preset, layers, loss, optimizer, epochs, batch size, seed.
    history: one entry for each epoch: loss, accuracy, and with a validation split val_loss and val_accuracy.
    parameters: number of trained values.
    """

    FILE = "model.json"

    recipe: dict[str, Any]
    history: tuple[dict[str, float], ...]
    parameters: int

    def keras_model(self) -> keras.Sequential:
        """The Keras model with its weights; its input is float32 (n, h, w, c), normalised."""
        import keras

        model = keras.models.model_from_json((self.path / ARCHITECTURE).read_text(encoding="utf-8"))
        model.set_weights(self.weights())
        return model

    def weights(self) -> list[npt.NDArray[np.float32]]:
        """The weights in Keras's order."""
        import numpy as np

        return [np.load(file, allow_pickle=False) for file in self._weights_files()]

    def weights_sha256(self) -> str:
        """SHA-256 of the bytes of the weights' files, in Keras's order."""
        digest = hashlib.sha256()
        for file in self._weights_files():
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def _weights_files(self) -> list[Path]:
        return sorted(self.path.glob("weights-*.npy"))

    def write_keras_model(self, model: keras.Sequential, summary: str) -> Self:
        """Writes the architecture, the weights and, for people, the table of layers.

        A .keras file is a zip archive with times in it, so its bytes differ from one time to the next.
        """
        architecture = json.loads(model.to_json())
        # The recipe has these settings; here they contain names that Keras numbers within a process.
        architecture.pop("compile_config", None)
        write_json(self.path / ARCHITECTURE, architecture)
        for index, weight in enumerate(model.get_weights()):
            write_array(self.path / f"weights-{index:03d}.npy", weight)
        (self.path / "summary.txt").write_text(summary + "\n", encoding="utf-8")
        return self

    def resumed(self) -> bool:
        """Whether its training continued from a checkpoint: the step's time is then not the time of all epochs."""
        return (self.path / UNDIGESTED).exists()

    def write_resumed(self) -> Self:
        """Records that its training continued from a checkpoint; the digest stays the same."""
        write_json(self.path / UNDIGESTED, {"resumed": True})
        return self

    def summary(self) -> str:
        """Preset, number of parameters, and the last epoch's figures."""
        figures = ", ".join(f"{name} {value:.4f}" for name, value in self.history[-1].items())
        return f"{self.recipe['preset']}: {self.parameters:,} parameters; epoch {len(self.history)}: {figures}"
