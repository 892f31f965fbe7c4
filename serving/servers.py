"""What makes TensorFlow Serving and Triton serve the promoted version, and not simply the highest."""

from __future__ import annotations

from pathlib import Path

from serving.bundle import Manifest
from serving.files import replace_text

TENSORFLOW_SERVING = "models.config"
TRITON = "config.pbtxt"
# Images that Triton may gather from several requests into one.
TRITON_BATCH = 1024


def tensorflow_serving_config(root: Path, serving: dict[str, int]) -> str:
    """The file for `tensorflow_model_server --model_config_file`, as protobuf text.

    Args:
        root: the registry's folder; the server wants each model's as an absolute path.
        serving: the version that serves, by model.
    """
    models = "".join(
        "  config {\n"
        f"    name: {_quoted(model)}\n"
        f"    base_path: {_quoted(str(root.resolve() / model))}\n"
        '    model_platform: "tensorflow"\n'
        f"    model_version_policy {{ specific {{ versions: {version} }} }}\n"
        "  }\n"
        for model, version in sorted(serving.items())
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


def write_where_other(file: Path, text: str) -> None:
    """Replaces a file in one step, where it does not say this already."""
    if not says(file, text):
        replace_text(file, text)


def says(file: Path, text: str) -> bool:
    """Whether a file holds this text."""
    try:
        return file.read_bytes() == text.encode()
    except OSError:
        return False


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
