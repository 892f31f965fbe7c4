"""The version that serves -> a version in MLflow's registry of models, which has the alias `champion`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.tracking.run_log import experiment_id
from pipeline.tracking.server import Place
from serving.bundle import ONNX, Bundle
from serving.registry import Promoted

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
# By which the version is found again: one digest, one version.
DIGEST = "beamline.bundle_sha256"


def follow(client: MlflowClient, place: Place, promoted: Promoted, run: str | None = None) -> str:
    """Gives the alias to the version that serves, which is registered where it is not yet.

    Args:
        client: of the place.
        place: where MLflow is.
        promoted: what serves.
        run: MLflow's number of the run whose bundle it is; None where that is not at hand.

    Returns:
        MLflow's number of the version.

    Raises:
        BundleError: what serves is damaged, and would have to be registered.
    """
    version = _find(client, promoted) or _register(client, place, promoted, run)
    client.set_registered_model_alias(promoted.model, ALIAS, version)
    return version


def _find(client: MlflowClient, promoted: Promoted) -> str | None:
    # Both are plain: a model's name has no quotes, nor has a digest.
    wanted = f"name = '{promoted.model}' and tag.`{DIGEST}` = '{promoted.sha256}'"
    return next((str(version.version) for version in client.search_model_versions(wanted)), None)


def _register(client: MlflowClient, place: Place, promoted: Promoted, run: str | None) -> str:
    name, event = promoted.model, promoted.event
    if run is None:
        tags = {"beamline.run": promoted.run, DIGEST: promoted.sha256}
        title = f"{name} version {promoted.version}"
        run = str(client.create_run(experiment_id(client, place), tags=tags, run_name=title).info.run_id)
        client.set_terminated(run)
    bundle = promoted.load()
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "model")
        _write_model(bundle, written)
        client.log_artifacts(run, str(written), written.name)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    tags = {
        DIGEST: promoted.sha256,
        "beamline.version": str(promoted.version),
        "beamline.run": promoted.run,
        "beamline.accuracy": f"{event.evidence.accuracy:.6f}",
        "beamline.weights_sha256": event.evidence.weights_sha256,
        "beamline.test_sha256": event.evidence.test_sha256,
    }
    return str(client.create_model_version(name, f"runs:/{run}/{written.name}", run, tags=tags).version)


def _write_model(bundle: Bundle, folder: Path) -> None:
    """Writes the network that serves as MLflow keeps models: uint8 (n, h, w, c) in, float32 (n, classes) out."""
    import mlflow.onnx
    import numpy as np
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    manifest = bundle.manifest
    images = TensorSpec(np.dtype("uint8"), (-1, *manifest.image_shape), "images")
    probabilities = TensorSpec(np.dtype("float32"), (-1, len(manifest.labels)), "probabilities")
    mlflow.onnx.save_model(
        onnx.load(bundle.path / ONNX),
        str(folder),
        signature=ModelSignature(inputs=Schema([images]), outputs=Schema([probabilities])),
        # Said, or MLflow would load the model in a process of its own to find out.
        pip_requirements=["numpy", "onnx", "onnxruntime"],
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
        metadata={"labels": list(manifest.labels), DIGEST: bundle.sha256},
    )
