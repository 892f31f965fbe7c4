"""The files of a bundle -> Rules: do they hold what was trained, and can servers use them?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.artifacts.artifact import RuleResult
from components.artifacts.bundle import under_a_plain_name
from components.artifacts.examples import Examples
from components.artifacts.preprocessing import Transform
from components.rounding.layers import Layer, Weighted
from components.verify.constants import check_constants, check_saved_model
from serving.bundle.bundle import ONNX
from serving.bundle.bundle import Bundle as CheckedBundle
from serving.bundle.manifest import MANIFEST

if TYPE_CHECKING:
    import onnx

# The ONNX files of a bundle, by name.
OnnxModels = Mapping[str, "onnx.ModelProto"]


def load_onnx_models(opened: CheckedBundle) -> OnnxModels:
    """Parses the ONNX file of each precision."""
    import onnx

    files = [entry["file"] for entry in opened.manifest.precisions.values() if "file" in entry]
    return {name: onnx.load_from_string(opened.read(name)) for name in files}


def constant_rules(
    opened: CheckedBundle, models: OnnxModels, layers: list[Layer], transform: Transform
) -> list[RuleResult]:
    """Whether the constants of the ONNX file and of the SavedModel are the trained weights."""
    weighted = [layer for layer in layers if isinstance(layer, Weighted)]
    with under_a_plain_name(opened.path) as folder:
        return [check_constants("ONNX", models[ONNX], weighted, transform), check_saved_model(folder, weighted)]


def class_names_rule(opened: CheckedBundle, models: OnnxModels, examples: Examples) -> RuleResult:
    """Whether the manifest and the ONNX files name the classes in the order of the training labels."""
    for name, model in models.items():
        properties = {entry.key: entry.value for entry in model.metadata_props}
        stored = tuple(json.loads(properties["labels"])) if "labels" in properties else ()
        for where, found in ((MANIFEST, tuple(opened.manifest.labels)), (name, stored)):
            if found != examples.class_names:
                text = f"{where} has the class names {', '.join(found)}, in another order or of other data than those "
                text = f"{text}that the model was trained with: export again"
                return RuleResult("class names", False, text)
    return RuleResult("class names", True, "the class names are those of the training data, in their order")


def checker_rule(models: OnnxModels) -> RuleResult:
    """Whether the ONNX file is valid."""
    import onnx

    try:
        onnx.checker.check_model(models[ONNX], full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return RuleResult("checker", False, f"onnx.checker refuses the model: {error}")
    return RuleResult("checker", True, "onnx.checker accepts the model")
