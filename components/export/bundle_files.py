"""The files of a bundle besides the SavedModel: the ONNX models, a sample of the test set, and the manifest."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.artifacts.examples import CALIBRATION_ROWS, Examples
from components.artifacts.model import Model
from components.artifacts.npy_writer import write_array
from components.artifacts.preprocessing import Transform
from components.export.int8_gate import count_correct, judge_int8, predicted_classes
from components.export.quantization import quantize
from components.rounding.layers import layers_of
from components.rounding.scatter import measure_rounding
from serving.batch.decoding.background import METHOD
from serving.bundle.bundle import ONNX, ONNX_INT8, SAMPLE_ALLOWED, SAMPLE_IMAGES, SAMPLE_PROBABILITIES
from serving.bundle.manifest import BACKGROUND, RESIZE, Manifest
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import onnx

# The libraries that this step imports. Their versions are in its key, so a bundle names those that made it.
LIBRARIES = ("keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")
# Test images in the bundle's sample: enough for a smoke test, and small even if images are large.
SAMPLE_ROWS = 16


def describe(name: str, model: Model, transform: Transform, examples: Examples, precisions: dict[str, Any]) -> Manifest:
    """The manifest of a bundle that no gate has judged."""
    return Manifest(
        model=name,
        image_shape=examples.image_shape,
        labels=examples.class_names,
        preprocessing={**transform.described(), RESIZE: _resize(examples), BACKGROUND: _background(examples)},
        dataset=_dataset(examples),
        training=model.recipe,
        gate={},
        precisions=precisions,
        versions={library: version(library) for library in LIBRARIES},
    )


def _dataset(examples: Examples) -> dict[str, Any]:
    splits = {split: {"rows": examples.rows(split), "sha256": examples.sha256(split)} for split in examples.blocks}
    return {"name": examples.dataset, "version": examples.version, "splits": splits}


def _resize(examples: Examples) -> dict[str, Any] | None:
    """How the training images were resized, for images of other sizes; None if they were not."""
    height, width, _ = examples.image_shape
    return None if examples.resize is None else {"method": examples.resize, "height": height, "width": width}


def _background(examples: Examples) -> dict[str, Any] | None:
    """How transparent training pictures were laid on a colour; None if they were not."""
    return None if examples.background is None else {"method": METHOD, "colour": examples.background}


def write_sample(model: Model, transform: Transform, examples: Examples, out: Path) -> None:
    """Writes the first test images, their exact probabilities and what rounding allows: a smoke test for servers."""
    images = np.array(examples.images(examples.blocks["test"][0])[:SAMPLE_ROWS])
    rounding = measure_rounding(layers_of(model), transform, images)
    (out / SAMPLE_IMAGES).parent.mkdir()
    write_array(out / SAMPLE_IMAGES, images[rounding.rows])
    write_array(out / SAMPLE_PROBABILITIES, rounding.exact.astype(np.float32))
    write_array(out / SAMPLE_ALLOWED, rounding.coarse().allowed.astype(np.float32))


def write_precisions(model: onnx.ModelProto, examples: Examples, out: Path) -> dict[str, Any]:
    """Writes the float32 model, and the int8 one if it is not worse. Returns: the manifest's `precisions`."""
    images = examples.all_images("test")
    labels = examples.all_labels("test")
    float32_content = model.SerializeToString(deterministic=True)
    (out / ONNX).write_bytes(float32_content)
    float32 = predicted_classes(float32_content, images)
    precisions: dict[str, Any] = {"float32": {"file": ONNX, **count_correct(float32, labels)}}
    try:
        calibration = np.concatenate([*examples.sampled_images("train", CALIBRATION_ROWS)])
        int8_content = quantize(model, calibration).SerializeToString(deterministic=True)
    except BeamlineError as error:
        return precisions | {"int8": {"left_out": str(error)}}
    int8 = judge_int8(predicted_classes(int8_content, images), float32, labels, examples.class_names)
    if "file" in int8:
        (out / ONNX_INT8).write_bytes(int8_content)
    return precisions | {"int8": int8}
