"""The version that serves -> a version in MLflow's model registry, with the alias `champion`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.tracking.run_log import DeletedExperimentError, experiment_id
from pipeline.tracking.server import TrackingServer
from serving.bundle.bundle import ONNX, Bundle, load_bundle
from serving.registry.registry import Promoted

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
# The tag that identifies a version: there is one version for each digest.
DIGEST = "beamline.bundle_sha256"


def move_alias(client: MlflowClient, server: TrackingServer, promoted: Promoted, run: str | None = None) -> None:
    """Gives the alias to the version that serves, and registers the version if MLflow does not have it.

    Args:
        client: MLflow's client for the server.
        server: where MLflow is.
        promoted: the version that serves.
        run: MLflow's id of the run that made the bundle; None if it is unknown.

    Raises:
        BundleError: the version must be registered, and its files are damaged.
    """
    version = _find(client, promoted) or _register(client, server, promoted, run)
    client.set_registered_model_alias(promoted.model, ALIAS, version)


def _find(client: MlflowClient, promoted: Promoted) -> str | None:
    # A model's name and a digest have no quotes.
    query = f"name = '{promoted.model}' and tag.`{DIGEST}` = '{promoted.sha256}'"
    return next((str(version.version) for version in client.search_model_versions(query)), None)


def _register(client: MlflowClient, server: TrackingServer, promoted: Promoted, run: str | None) -> str:
    name, event = promoted.model, promoted.event
    if run is None:
        tags = {"beamline.run": promoted.run, DIGEST: promoted.sha256}
        title = f"{name} version {promoted.version}"
        run = str(client.create_run(_experiment(client, server), tags=tags, run_name=title).info.run_id)
        client.set_terminated(run)
    bundle = load_bundle(promoted.path, promoted.sha256)
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


def _experiment(client: MlflowClient, server: TrackingServer) -> str:
    """MLflow's id of the experiment for a run that only has the files of a version."""
    try:
        return experiment_id(client, server)
    except DeletedExperimentError:
        # The user decides whether to restore it, and the alias must follow until then.
        return experiment_id(client, replace(server, experiment=f"{server.experiment} versions"))


def _write_model(bundle: Bundle, folder: Path) -> None:
    """Writes the ONNX model in MLflow's format: uint8 (n, h, w, c) in, float32 (n, classes) out."""
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
        # Given here, because MLflow would otherwise load the model in another process to find out.
        pip_requirements=["numpy", "onnx", "onnxruntime"],
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
        metadata={"labels": list(manifest.labels), DIGEST: bundle.sha256},
    )
