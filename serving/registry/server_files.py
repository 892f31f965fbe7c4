"""Registry -> the files with which TensorFlow Serving and Triton serve the promoted version, not the highest."""

from __future__ import annotations

from pathlib import Path

from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import Manifest
from serving.errors import BundleError
from serving.registry.promotion_events import read_promotion_events
from serving.registry.registry import HISTORY, TENSORFLOW_SERVING, Promoted, Registry
from serving.registry.versions import is_intact

TRITON = "config.pbtxt"
# Images that Triton may collect from several requests into one batch.
TRITON_BATCH = 1024


def server_files(registry: Registry, model: str) -> dict[Path, str]:
    """The files for other servers and their content for a model's promoted version; empty if there is none.

    Raises: BundleError: the pointer or the promoted bundle is damaged.
    """
    promoted = registry.promoted(model)
    if promoted is None:
        return {}
    served = {name: version for name in registry.models() if (version := _version(registry, name)) is not None}
    return {
        registry.root / TENSORFLOW_SERVING: tensorflow_serving_config(registry.root, served),
        registry.root / model / TRITON: triton_config(
            model, promoted.version, load_bundle(promoted.path, promoted.sha256).manifest
        ),
    }


def up_to_date_version(registry: Registry, model: str, sha256: str) -> Promoted | None:
    """The version that serves, if it has this digest, is intact, on record and in the servers' files; else None."""
    try:
        promoted = registry.promoted(model)
    except BundleError:
        return None
    if promoted is None or promoted.sha256 != sha256 or not is_intact(promoted.path, sha256):
        return None
    return promoted if _is_followed(registry, promoted) else None


def _version(registry: Registry, model: str) -> int | None:
    """The version for other servers; the last event names it while the pointer is damaged or cannot be read."""
    try:
        promoted = registry.promoted(model)
    except (BundleError, OSError):
        last = registry.promotion_events(model).last
        return None if last is None else last.to_version
    return None if promoted is None else promoted.version


def _is_followed(registry: Registry, promoted: Promoted) -> bool:
    last = read_promotion_events(registry.root / promoted.model / HISTORY).last
    return (
        last is not None
        and last.sequence == promoted.event.sequence
        and all(has_text(file, text) for file, text in server_files(registry, promoted.model).items())
    )


def tensorflow_serving_config(root: Path, served: dict[str, int]) -> str:
    """The file for `tensorflow_model_server --model_config_file`, as protobuf text, for the versions that serve."""
    models = "".join(
        "  config {\n"
        f"    name: {_quoted(model)}\n"
        # The server needs absolute paths.
        f"    base_path: {_quoted(str(root.resolve() / model))}\n"
        '    model_platform: "tensorflow"\n'
        f"    model_version_policy {{ specific {{ versions: {version} }} }}\n"
        "  }\n"
        for model, version in sorted(served.items())
    )
    return f"model_config_list {{\n{models}}}\n"


def triton_config(model: str, version: int, manifest: Manifest) -> str:
    """A model's file in a Triton repository, as protobuf text."""
    shape = ", ".join(map(str, manifest.image_shape))
    return (
        f"name: {_quoted(model)}\n"
        'backend: "onnxruntime"\n'
        f"max_batch_size: {TRITON_BATCH}\n"
        f'input [ {{ name: "images" data_type: TYPE_UINT8 dims: [ {shape} ] }} ]\n'
        f'output [ {{ name: "probabilities" data_type: TYPE_FP32 dims: [ {len(manifest.labels)} ] }} ]\n'
        f"version_policy {{ specific {{ versions: [ {version} ] }} }}\n"
    )


def has_text(file: Path, text: str) -> bool:
    """Whether a file holds this text."""
    try:
        return file.read_bytes() == text.encode()
    except OSError:
        return False


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
