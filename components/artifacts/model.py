"""Model: the trained weights as .npy files beside a JSON architecture, and how training went."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import UNDIGESTED, Artifact, read_values, values
from components.model import layers_table
from serving.files import write_json

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class Model(Artifact):
    """Attributes:
    recipe: what it was trained with: preset, layers, loss, optimizer, epochs, batch size, seed.
    history: one entry an epoch: loss, accuracy, and with a validation share val_loss and val_accuracy.
    parameters: number of trained values.
    """

    recipe: dict[str, Any]
    history: tuple[dict[str, float], ...]
    parameters: int

    def keras_model(self) -> keras.Sequential:
        """The Keras model with its weights; it takes float32 (n, h, w, c), normalised."""
        import keras

        model = keras.models.model_from_json((self.path / "architecture.json").read_text(encoding="utf-8"))
        model.set_weights(self.weights())
        return model

    def weights(self) -> list[npt.NDArray[np.float32]]:
        """The weights in Keras's order."""
        return [np.load(file, allow_pickle=False) for file in self._weights_files()]

    def weights_sha256(self) -> str:
        """SHA-256 of the bytes of the files of weights, one after the other in Keras's order."""
        digest = hashlib.sha256()
        for file in self._weights_files():
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def _weights_files(self) -> list[Path]:
        return sorted(self.path.glob("weights-*.npy"))

    def write_keras_model(self, model: keras.Sequential) -> Self:
        """Writes architecture, weights and, for people, the table of layers.

        A .keras file is a zip with times in it, so never twice the same.
        """
        architecture = json.loads(model.to_json())
        # How it was compiled is in the recipe; here it carries names that Keras counts up over the process.
        architecture.pop("compile_config", None)
        write_json(self.path / "architecture.json", architecture)
        for index, weight in enumerate(model.get_weights()):
            np.save(self.path / f"weights-{index:03d}.npy", weight)
        (self.path / "summary.txt").write_text(layers_table(model) + "\n", encoding="utf-8")
        return self

    def resumed(self) -> bool:
        """Whether its training went on from a checkpoint, so that the step's time is not that of all epochs."""
        return (self.path / UNDIGESTED).exists()

    def write_resumed(self) -> Self:
        """Writes that its training was interrupted, which changes nothing that it is."""
        write_json(self.path / UNDIGESTED, {"resumed": True})
        return self

    def save(self) -> Self:
        """Writes model.json; the network is written by `write_keras_model`."""
        write_json(self.path / "model.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads model.json."""
        return cls(path=path, **read_values(path / "model.json"))

    def summary(self) -> str:
        """Preset, size, and the last epoch's figures."""
        figures = ", ".join(f"{name} {value:.4f}" for name, value in self.history[-1].items())
        return f"{self.recipe['preset']}: {self.parameters:,} parameters; epoch {len(self.history)}: {figures}"
